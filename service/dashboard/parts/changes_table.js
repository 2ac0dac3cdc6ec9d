// What differs between two specifications, field by field.

import { shownName } from "../text/user_text.js";
import { html } from "./html.js";

/**
 * @param {object} props
 * @param {string} props.label What the table is called for screen readers.
 * @param {string} props.before The head of the column of the first specification.
 * @param {{path: string[], before: unknown, after: unknown}[]} props.changes
 * @param {string} props.absent What stands for a value that is not given.
 */
export function ChangesTable({ label, before, changes, absent }) {
  const cell = (value) => (value === undefined ? absent : typeof value === "string" ? shownName(value) : JSON.stringify(value));
  return html`
    <table class="changes" aria-label=${label}>
      <thead><tr><th scope="col">Field</th><th scope="col">${before}</th><th scope="col">Here</th></tr></thead>
      <tbody>
        ${changes.map(
          (change) => html`
            <tr key=${change.path.join("/")}>
              <th scope="row">${change.path.map(shownName).join(".")}</th>
              <td>${cell(change.before)}</td>
              <td>${cell(change.after)}</td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
}

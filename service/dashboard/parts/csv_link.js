// A link to a whole table as CSV, which the server writes: all rows, not only those that are shown.

import { html } from "./html.js";

/**
 * @param {object} props
 * @param {string} props.of What the table is of, for screen readers.
 * @param {string} props.path Of the API.
 * @param {Record<string, string> | URLSearchParams} [props.query]
 * @param {string} [props.name] Of the file.
 */
export function CsvLink({ of, path, query = {}, name = path.split("/").at(-1) }) {
  const asked = String(new URLSearchParams(query));
  const title = `${of} as CSV, for a spreadsheet or pandas`;
  return html`<a class="tool" href=${asked ? `${path}?${asked}` : path} download=${name} aria-label=${`${of} as CSV`} title=${title}>CSV</a>`;
}

// A table whose rows are blocks on a narrow page: each cell has the name of its column then.

import { html } from "./html.js";

/**
 * @template T
 * @param {object} props
 * @param {string} props.label
 * @param {{name: string, kind?: string, head?: any, sort?: string, cell: (row: T) => any}[]} props.columns
 *   `head` stands in the head of the column in place of its name; `sort` is its `aria-sort`.
 * @param {T[]} props.rows
 * @param {(row: T) => any} props.keyOf
 * @param {(row: T) => object} [props.attributesOf] Of a row's element.
 */
export function Table({ label, columns, rows, keyOf, attributesOf = () => ({}) }) {
  // The roles are explicit, since the narrow layout replaces the display type "table".
  return html`
    <table role="table" aria-label=${label}>
      <thead role="rowgroup">
        <tr role="row">${columns.map(headOf)}</tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((row) => html`<tr key=${keyOf(row)} role="row" ...${attributesOf(row)}>${cellsOf(columns, row)}</tr>`)}
      </tbody>
    </table>
  `;
}

/** @param {{name: string, kind?: string, head?: any, sort?: string}} column */
const headOf = ({ name, kind, head = name, sort }) =>
  html`<th key=${name} class=${kind} scope="col" role="columnheader" aria-sort=${sort}>${head}</th>`;

const cellsOf = (columns, row) =>
  columns.map(({ name, kind, cell }) => html`<td key=${name} class=${kind} role="cell" data-label=${name}><span>${cell(row)}</span></td>`);

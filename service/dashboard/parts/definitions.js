// A list of named values.

import { html } from "./html.js";

/** @param {{entries: {name: string, value: any, title?: string}[]}} props */
export function Definitions({ entries }) {
  return html`
    <dl>
      ${entries.map(({ name, value, title }) => html`<div key=${name}><dt>${name}</dt><dd title=${title}>${value}</dd></div>`)}
    </dl>
  `;
}

// A field of which one of some values is chosen.

import { html } from "../../parts/html.js";

export function Choice({ label, options, value, onChange }) {
  return html`
    <label class="field"><span>${label}</span>
      <select value=${value} onChange=${onChange}>${options.map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}</select>
    </label>
  `;
}

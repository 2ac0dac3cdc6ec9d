// What a part of a page shows that could not be read.

import { html } from "./html.js";

/** Nothing without an error. `of` names what could not be read, as in "Workers". */
export function Problem({ of, error }) {
  if (!error) return null;
  return html`<p class="callout" data-tone="bad" role="alert">${of}: ${error.message} This is tried again.</p>`;
}

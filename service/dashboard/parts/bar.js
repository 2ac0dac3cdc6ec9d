// A progress bar; its fill is a CSS transform, which needs no layout.

import { html } from "./html.js";
import { toneOf } from "./states.js";

export function Bar({ label, fraction, state }) {
  const part = Math.min(Math.max(fraction || 0, 0), 1);
  return html`
    <div
      class="bar"
      role="progressbar"
      aria-label=${label}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.floor(part * 100)}
      data-tone=${toneOf(state)}
    ><span style=${{ "--part": part }}></span></div>
  `;
}

// How much of something is used, as a bar with its value as a text.

import { html } from "./html.js";

/**
 * @param {object} props
 * @param {string} props.label What is used, as in "CPU of gpu-07".
 * @param {number | null} props.part From 0 to 1; null if it is not known.
 * @param {string} props.text The value.
 * @param {string} [props.tone]
 * @param {string} [props.title]
 */
export function Meter({ label, part, text, tone = "active", title }) {
  const known = Math.min(Math.max(part ?? 0, 0), 1);
  return html`
    <span class="meter" title=${title}>
      <span
        class="bar"
        role="meter"
        aria-label=${label}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${Math.round(known * 100)}
        aria-valuetext=${text}
        data-tone=${tone}
      ><span style=${{ "--part": known }}></span></span>
      <span class="meter-text">${text}</span>
    </span>
  `;
}

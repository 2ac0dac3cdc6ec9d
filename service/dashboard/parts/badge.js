// The state of a job, an attempt, a worker or a checkpoint as a coloured dot and as a text.

import { html } from "./html.js";
import { toneOf } from "./states.js";

/** `tone` is another than the state has by itself. */
export function Badge({ state, tone = toneOf(state) }) {
  return html`<span class="badge" data-tone=${tone} data-state=${state}>${state}</span>`;
}

// Times of the server as people say them, with the exact one on hover.

import { now } from "../state/now.js";
import { age, dateAndTime, exactTime, NONE } from "../text/format.js";
import { html } from "./html.js";

/** How long ago `at` (ISO 8601) was; nothing for a time that is not there. */
export function Ago({ at, prefix = "" }) {
  if (!at) return null;
  const seconds = (now.value - Date.parse(at)) / 1000;
  return html`<time datetime=${at} title=${exactTime(at)}>${prefix}${age(seconds)}</time>`;
}

/** The date and the time in the viewer's zone, with the exact one on hover. */
export function At({ at }) {
  return at ? html`<time datetime=${at} title=${exactTime(at)}>${dateAndTime(at)}</time>` : NONE;
}

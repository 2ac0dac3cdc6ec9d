// A time of the server as people say it, with the exact one on hover.

import { now } from "../state/now.js";
import { age, dateAndTime } from "../text/format.js";
import { html } from "./html.js";

/** How long ago `at` (ISO 8601) was; nothing for a time that is not there. */
export function Ago({ at, prefix = "" }) {
  if (!at) return null;
  const seconds = (now.value - Date.parse(at)) / 1000;
  return html`<time datetime=${at} title=${dateAndTime(at)}>${prefix}${age(seconds)}</time>`;
}

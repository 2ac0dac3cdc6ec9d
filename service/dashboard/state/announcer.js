// What a screen reader is told that does not look at the place where it happens.

import { signal } from "../vendor/preact.js";

export const announcement = signal("");

/** Has screen readers say a sentence when they have time. */
export function announce(text) {
  announcement.value = text;
}

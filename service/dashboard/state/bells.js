// The jobs whose end this tab tells by a notification of the browser: for those who asked for it.

import { signal } from "../vendor/preact.js";

const KEY = "trainyard-bells";
const NOT_HERE = "Browsers show notifications of pages on https and on localhost alone.";
const BLOCKED = "The browser blocks notifications of this page: allow them in its settings for this site.";

/**
 * Their ids; kept over a reload of the tab.
 * @type {import("../vendor/preact.js").Signal<string[]>}
 */
export const bells = signal(storedBells());

export function setBell(jobId, isOn) {
  const others = bells.peek().filter((id) => id !== jobId);
  bells.value = isOn ? [...others, jobId] : others;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(bells.value));
  } catch {
    // A browser that stores nothing forgets them with the page.
  }
}

/** Asks the browser's user, unless that was done; returns why there can be no notification, or null. */
export async function permissionProblem() {
  if (!window.isSecureContext || !("Notification" in window)) return NOT_HERE;
  const { permission } = Notification;
  const answer = permission === "default" ? await Notification.requestPermission() : permission;
  return answer === "granted" ? null : BLOCKED;
}

function storedBells() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

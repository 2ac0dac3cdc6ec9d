// Where requests wait that the server refuses to a stranger, until there is a login.

import { signal } from "../vendor/preact.js";

/** Whether a request waits for a login. */
export const isLoginNeeded = signal(false);

const logins = new EventTarget();

/** Waits for a login; rejects with the signal's reason if the caller gives up. */
export function waitForLogin(abortSignal) {
  isLoginNeeded.value = true;
  return new Promise((resolve, reject) => {
    if (abortSignal?.aborted) reject(abortSignal.reason);
    abortSignal?.addEventListener("abort", () => reject(abortSignal.reason), { once: true });
    logins.addEventListener("login", resolve, { once: true });
  });
}

/** There is a login: all that wait go on. */
export function goOn() {
  isLoginNeeded.value = false;
  logins.dispatchEvent(new Event("login"));
}

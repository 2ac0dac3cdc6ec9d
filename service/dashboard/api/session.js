// The login of the page: the token is sent once, and a cookie that no script can read stands for it.

import { signal } from "../vendor/preact.js";
import { requestOnce } from "./client.js";
import { goOn, isLoginNeeded } from "./login_gate.js";

/**
 * Who is logged in; null until the server has said it.
 * @type {import("../vendor/preact.js").Signal<import("./types").Session | null>}
 */
export const session = signal(null);

/** By what may be done the roles of people, the least first. */
const ROLES = ["viewer", "user", "admin"];

/** Whether the caller is known to lack the rights of a role; on a server without tokens nobody does. */
export function lacksRole(role) {
  const known = session.value;
  return Boolean(known?.user) && ROLES.indexOf(known.role) < ROLES.indexOf(role);
}

/** Whether jobs have owners: those of a server that has tokens. */
export const hasOwners = () => Boolean(session.value?.needs_login);

let hadUser = false;

/** Whether someone has been logged in since the page was loaded. */
export const hasLoggedIn = () => hadUser;

const NO_COOKIE = "The browser keeps no cookie of this page: allow it to, so that the login is known.";

// Earlier versions of the page kept the token itself.
const OLD_KEY = "trainyard-token";

export function removeOldToken() {
  try {
    localStorage.removeItem(OLD_KEY);
  } catch {
    // A browser that stores nothing has none.
  }
}

/** Asks who is logged in, as after another tab has done so; requests that waited for it go on. */
export async function readSession(abortSignal = null) {
  const { body } = await requestOnce("session", { signal: abortSignal });
  const read = JSON.parse(body);
  session.value = read;
  hadUser ||= Boolean(read.user);
  if (read.user) goOn();
  else if (read.needs_login) isLoginNeeded.value = true;
}

/** Begins a session; fails with a sentence if it is not the right token, or the browser keeps no cookie. */
export async function logIn(token) {
  await requestOnce("session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  await readSession();
  if (!session.value.user) throw new Error(NO_COOKIE);
}

/** Ends the session, and forgets all that is shown. */
export async function logOut() {
  await requestOnce("session", { method: "DELETE" });
  location.reload();
}

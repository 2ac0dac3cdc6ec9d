// Who is logged in, and the way out; nothing on a server that has no token.

import { useEffect } from "../vendor/preact.js";
import { Poller } from "../api/poll.js";
import { logOut, readSession, session } from "../api/session.js";
import { html } from "../parts/html.js";
import { announce } from "../state/announcer.js";
import { exactTime } from "../text/format.js";

const POLL_MS = 600_000;

export function SessionMenu() {
  useEffect(() => {
    // An older server knows no sessions, and has none to show.
    const poller = new Poller(async (signal) => void (await readSession(signal)), POLL_MS, () => {});
    poller.start();
    return () => poller.stop();
  }, []);
  if (!session.value?.user) return null;
  const { user, expires_at: end } = session.value;
  const leave = () => logOut().catch((error) => announce(error.message));
  return html`
    <span class="session">
      <span class="user" title=${end ? `Logged in until ${exactTime(end)}` : null}>${user}</span>
      <button type="button" class="link" onClick=${leave}>Log out</button>
    </span>
  `;
}

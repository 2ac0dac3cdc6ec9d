// The server's time, as often as ages that are shown may change.

import { signal } from "../vendor/preact.js";
import { serverNow } from "../api/client.js";

const TICK_MS = 1_000;

/** Milliseconds since 1970 by the server's clock; it stands while nobody sees the page. */
export const now = signal(serverNow());

setInterval(() => {
  if (!document.hidden) now.value = serverNow();
}, TICK_MS);
document.addEventListener("visibilitychange", () => {
  now.value = serverNow();
});

// The banner that a server which does not answer is away, and of when the page is.

import { useEffect, useState } from "../vendor/preact.js";
import { connection } from "../api/connection.js";
import { html } from "../parts/html.js";
import { timeOfDay } from "../text/format.js";

export function Banner() {
  const [{ lost, reachedAt }, setState] = useState({ lost: false, reachedAt: null });
  useEffect(() => {
    const look = () => setState({ lost: connection.lost, reachedAt: connection.reachedAt });
    connection.addEventListener("change", look);
    return () => connection.removeEventListener("change", look);
  }, []);
  const since = reachedAt ? ` The page shows the state of ${timeOfDay(reachedAt)}.` : "";
  const text = lost ? `Reconnecting… the server does not answer.${since}` : "";
  return html`<div id="banner" class=${lost ? "banner shown" : "banner"} role="status" aria-live="polite">${text}</div>`;
}

// Says once that the server has another page than this one, as after an upgrade.

import { useEffect, useState } from "../vendor/preact.js";
import { connection } from "../api/connection.js";
import { usePolled } from "../api/polled.js";
import { html } from "../parts/html.js";

const POLL_MS = 60_000;
/** The digest in the address of this module; files without one are those of a checkout. */
const OWN = /\/dashboard\/([0-9a-f]{16})\//.exec(import.meta.url)?.[1] ?? null;

export function UpgradeNotice() {
  const { value, refresh } = usePolled(OWN && "version", POLL_MS);
  const [dismissed, setDismissed] = useState(null);
  useEffect(() => {
    const look = () => connection.lost || refresh();
    connection.addEventListener("change", look);
    return () => connection.removeEventListener("change", look);
  }, []);
  const isOther = value?.page && value.page !== OWN && value.page !== dismissed;
  return html`
    <div class="notice" role="status">
      ${isOther &&
      html`
        <p>The server was upgraded to version ${value.version}; this page is of the one before.</p>
        <button type="button" class="button" onClick=${() => location.reload()}>Reload</button>
        <button type="button" class="button" onClick=${() => setDismissed(value.page)}>Later</button>
      `}
    </div>
  `;
}

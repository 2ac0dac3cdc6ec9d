// Shows a page, whose modules are loaded when it is first shown.

import { useEffect, useState } from "../vendor/preact.js";
import { html } from "../parts/html.js";

/** Components that are loaded, by their `load`: a page that was shown once is shown again at once. */
const loaded = new Map();

/** `shown` is what the page is given. A page that cannot be loaded says so. */
export function PageView({ load, shown }) {
  const [fault, setFault] = useState(null);
  const [, redraw] = useState(false);
  useEffect(() => {
    if (loaded.has(load)) return;
    setFault(null);
    load().then(
      (component) => {
        loaded.set(load, component);
        redraw(true);
      },
      (error) => setFault(error),
    );
  }, [load]);
  if (loaded.has(load)) return html`<${loaded.get(load)} ...${shown} />`;
  if (!fault) return null;
  return html`
    <div class="callout" data-tone="bad" role="alert">
      This page could not be loaded from the server.
      <button type="button" class="button" onClick=${() => location.reload()}>Load again</button>
    </div>
  `;
}

// A part of a page whose modules are loaded when it is first shown.

import { useEffect, useState } from "../vendor/preact.js";
import { html } from "./html.js";

/** Components by what loads them: one that was shown once is shown again at once. */
const loaded = new Map();

/**
 * @param {object} props
 * @param {() => Promise<import("../vendor/preact.js").ComponentType<any>>} props.load
 * @param {object} props.shown What the component is given.
 * @param {string} props.of What it is, for a part that cannot be loaded.
 */
export function Lazy({ load, shown, of }) {
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
      ${of} could not be loaded from the server.
      <button type="button" class="button" onClick=${() => location.reload()}>Load again</button>
    </div>
  `;
}

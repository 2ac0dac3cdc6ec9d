// A dialog that shows something and has nothing to confirm.

import { useEffect, useId, useRef } from "../vendor/preact.js";
import { html } from "./html.js";

/** Shown while it is drawn; Escape, the button and a click beside it close it. */
export function Sheet({ title, onClose, children }) {
  const id = useId();
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  const closeBeside = (event) => event.target === dialog.current && dialog.current.close();
  return html`
    <dialog class="sheet" ref=${dialog} aria-labelledby=${id} onClose=${onClose} onClick=${closeBeside}>
      <h2 id=${id}>${title}</h2>
      ${children}
      <div class="actions"><button type="button" class="button" autofocus onClick=${() => dialog.current.close()}>Close</button></div>
    </dialog>
  `;
}

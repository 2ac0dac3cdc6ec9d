// A question with two answers; what is refused is told in it.

import { useEffect, useId, useRef, useState } from "../vendor/preact.js";
import { html } from "./html.js";

/**
 * Shown while it is drawn. `onConfirm` may fail: the dialog stays, with the reason.
 * @param {object} props
 * @param {string} props.title
 * @param {string} props.confirm The label of the button that does it.
 * @param {string} props.keep The label of the button that does not.
 * @param {boolean} [props.isDangerous]
 * @param {() => Promise<void>} props.onConfirm
 * @param {() => void} props.onClose
 * @param {any} [props.children]
 */
export function Dialog({ title, confirm, keep, isDangerous = true, onConfirm, onClose, children }) {
  const id = useId();
  const dialog = useRef(null);
  const [problem, setProblem] = useState(null);
  const [isSending, setSending] = useState(false);
  useEffect(() => dialog.current.showModal(), []);
  const send = async () => {
    setSending(true);
    try {
      await onConfirm();
    } catch (error) {
      setProblem(error.message);
    } finally {
      setSending(false);
    }
  };
  return html`
    <dialog ref=${dialog} aria-labelledby=${id} onClose=${onClose}>
      <h2 id=${id}>${title}</h2>
      ${children}
      ${problem && html`<p class="callout" data-tone="bad" role="alert">${problem}</p>`}
      <div class="actions">
        <button type="button" class="button" autofocus onClick=${() => dialog.current.close()}>${keep}</button>
        <button type="button" class=${isDangerous ? "button danger" : "button"} disabled=${isSending} onClick=${send}>${confirm}</button>
      </div>
    </dialog>
  `;
}

// What may be made of a job's checkpoint, or of one: the server says what, in its `actions`.

import { addressOf } from "../state/route.js";
import { useState } from "../vendor/preact.js";
import { ExportDialog } from "./export_dialog.js";
import { html } from "./html.js";

/** The actions that the form of a submission completes: a label, and what it makes. */
const FORMS = new Map([
  ["train_longer", ["Train longer…", "A new job goes on from the training state, with more iterations"]],
  ["evaluate", ["Evaluate…", "A new job measures the weights on validation images"]],
  ["fine_tune", ["Fine-tune…", "A new job trains the weights on other data"]],
  ["search", ["Search this supernet…", "A new job looks for its best path"]],
]);

/** Whether the server lets who asks change a job: each state of one allows some action on the job itself. */
export const maySteer = (job) => job.actions.some(({ path }) => path.startsWith(`/jobs/${job.id}`));

/**
 * @param {object} props
 * @param {import("../api/types").JobAction[] | undefined} props.actions
 * @param {Record<string, string>} props.origin What the form asks for again: `{from: job}` or `{checkpoint: id}`.
 */
export function UseActions({ actions = [], origin }) {
  const [isExporting, setExporting] = useState(false);
  const exported = actions.find(({ name }) => name === "export");
  return html`
    ${actions
      .filter(({ name }) => FORMS.has(name))
      .map(({ name }) => {
        const [label, title] = FORMS.get(name);
        return html`<a key=${name} class="button" title=${title} href=${addressOf(["submit"], { ...origin, action: name })}>${label}</a>`;
      })}
    ${exported && html`<button type="button" class="button" onClick=${() => setExporting(true)}>Export…</button>`}
    ${exported && isExporting && html`<${ExportDialog} action=${exported} onClose=${() => setExporting(false)} />`}
  `;
}

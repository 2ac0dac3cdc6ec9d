// The buttons for what may be done with a sweep: the server says what, in its `actions`.

import { useState } from "../../vendor/preact.js";
import { send, sweepPath } from "../../api/client.js";
import { useSender } from "../../api/sender.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { navigate } from "../../state/route.js";

/** The label of each action that a button alone can do. */
const LABELS = { pause: "Pause", resume: "Resume" };

/** `afterwards()` is called after an action, but for a deletion, after which the list is opened. */
export function SweepActions({ sweep, afterwards }) {
  const [asked, ask] = useState(null);
  const { run, isSending, problem } = useSender();
  const path = sweepPath(sweep.id);
  const perform = async (name) => {
    await send("POST", `${path}/${name}`);
    ask(null);
    afterwards();
  };
  const remove = async () => {
    await send("DELETE", path);
    navigate("#/sweeps");
  };
  const may = (name) => sweep.actions.includes(name);
  return html`
    <div class="job-actions">
      ${Object.entries(LABELS).map(
        ([name, label]) =>
          may(name) && html`<button key=${name} type="button" class="button" disabled=${isSending} onClick=${() => run(() => perform(name))}>${label}</button>`,
      )}
      ${may("cancel") && html`<button type="button" class="button" onClick=${() => ask("cancel")}>Cancel…</button>`}
      ${may("delete") && html`<button type="button" class="button" onClick=${() => ask("delete")}>Delete…</button>`}
      ${problem && html`<p class="callout" data-tone="bad" role="alert">${problem}</p>`}
    </div>
    ${asked === "cancel" &&
    html`
      <${Dialog} title="Cancel this sweep?" confirm="Cancel the sweep" keep="Keep it" onConfirm=${() => perform("cancel")} onClose=${() => ask(null)}>
        <p>No more trials begin, and the jobs of those that are live save a checkpoint and end. A cancelled sweep stays cancelled.</p>
      <//>
    `}
    ${asked === "delete" &&
    html`
      <${Dialog} title="Delete this sweep?" confirm="Delete the sweep" keep="Keep it" onConfirm=${remove} onClose=${() => ask(null)}>
        <p>The list of its trials goes. Its jobs and their checkpoints stay.</p>
      <//>
    `}
  `;
}

// The buttons for what may be done with a job: the server says what, in the job's `actions`.

import { useEffect, useState } from "../../vendor/preact.js";
import { sendAction } from "../../api/client.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { UseActions } from "../../parts/use_actions.js";

/** The label of each action that a button alone can do; a cancel has a dialog of its own. */
const LABELS = { pause: "Pause", resume: "Resume", retry: "Retry" };

/** What a choice means, for the button's tooltip. */
const TITLES = {
  latest: "As a new job, from the latest training state",
  start: "As a new job, from the start",
};
const CONSEQUENCE =
  "Its worker finishes the step, saves a checkpoint and stops. " +
  "A cancelled job stays cancelled; a new one can start from its checkpoint.";

/** `afterwards(job)` is called with the changed job, or with the new job of a retry. */
export function JobActions({ job, afterwards }) {
  const [problem, setProblem] = useState(null);
  const [isSending, setSending] = useState(false);
  useEffect(() => setProblem(null), [job.state]);
  const send = async (action) => {
    setSending(true);
    setProblem(null);
    try {
      afterwards(await sendAction(action));
    } catch (error) {
      setProblem(error.message);
    } finally {
      setSending(false);
    }
  };
  const offered = job.actions.filter(({ name }) => Object.hasOwn(LABELS, name));
  return html`
    <div class="job-actions">
      ${offered.map(
        (action) => html`
          <button
            key=${action.name}
            type="button"
            class="button"
            disabled=${isSending}
            title=${TITLES[action.choices.from?.[0]]}
            onClick=${() => send(action)}
          >${LABELS[action.name]}</button>
        `,
      )}
      <${UseActions} actions=${job.actions} origin=${{ from: job.id }} />
      <${Cancel} job=${job} afterwards=${afterwards} />
      ${problem && html`<p class="callout" data-tone="bad" role="alert">${problem}</p>`}
    </div>
  `;
}

function Cancel({ job, afterwards }) {
  const [isAsked, setAsked] = useState(false);
  const action = job.actions.find(({ name }) => name === "cancel");
  const isRequested = job.state === "cancelling";
  if (!action && !isRequested) return null;
  const confirm = async () => {
    afterwards(await sendAction(action));
    setAsked(false);
  };
  return html`
    <button type="button" class="button" disabled=${isRequested} onClick=${() => setAsked(true)}>${isRequested ? "Cancelling…" : "Cancel…"}</button>
    ${isAsked &&
    action &&
    html`
      <${Dialog} title="Cancel this job?" confirm="Cancel the job" keep="Keep it" onConfirm=${confirm} onClose=${() => setAsked(false)}>
        <p>${CONSEQUENCE}</p>
      <//>
    `}
  `;
}

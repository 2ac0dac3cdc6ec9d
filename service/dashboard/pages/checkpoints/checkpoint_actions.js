// What may be done with a checkpoint: verify, what may be made of it, delete. What is refused is told.

import { useEffect, useState } from "../../vendor/preact.js";
import { checkpointPath, send } from "../../api/client.js";
import { useSender } from "../../api/sender.js";
import { lacksRole } from "../../api/session.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { isEnded } from "../../parts/states.js";
import { UseActions } from "../../parts/use_actions.js";
import { isRetained, stepTitle } from "../../text/checkpoints.js";
import { bytes, counted } from "../../text/format.js";

// The server reads every byte, which may be many gigabytes of a slow volume.
const VERIFY_TIMEOUT_MS = 3_600_000;

/** `isOthers` if who looks may not change it; `job` is the one that saved it, and `lineage` what came of it; null while they are not known. */
export function CheckpointActions({ checkpoint, lineage, job, isOthers, refresh }) {
  const [isDeleting, setDeleting] = useState(false);
  return html`
    <div class="job-actions">
      ${isRetained(checkpoint) && !lacksRole("user") && html`<${Verify} checkpoint=${checkpoint} refresh=${refresh} />`}
      <${UseActions} actions=${checkpoint.actions} origin=${{ checkpoint: checkpoint.id }} />
      ${!isOthers && mayBeDeleted(checkpoint, lineage, job) && html`<button type="button" class="button" onClick=${() => setDeleting(true)}>Delete…</button>`}
      ${isDeleting && html`<${DeleteDialog} checkpoint=${checkpoint} lineage=${lineage} refresh=${refresh} onClose=${() => setDeleting(false)} />`}
    </div>
  `;
}

/** Not while it is pinned, or while a job that has not ended starts from it or would resume from it. */
function mayBeDeleted(checkpoint, lineage, job) {
  if (!isRetained(checkpoint) || checkpoint.pinned || !lineage || lacksRole("user")) return false;
  const isResumedFrom = job && !isEnded(job) && job.latest_checkpoint === checkpoint.id;
  return !isResumedFrom && lineage.uses.every(isEnded);
}

function Verify({ checkpoint, refresh }) {
  const [answer, setAnswer] = useState(null);
  const { run, isSending, problem } = useSender();
  useEffect(() => setAnswer(null), [checkpoint.id]);
  const verify = () =>
    run(async () => {
      setAnswer(null);
      setAnswer(await send("POST", `${checkpointPath(checkpoint.id)}/verify`, null, { timeoutMs: VERIFY_TIMEOUT_MS }));
      refresh();
    });
  return html`
    <button type="button" class="button" disabled=${isSending} title="Read every byte and compare the digests" onClick=${verify}>
      ${isSending ? `Reading ${bytes(checkpoint.bytes)}…` : "Verify"}
    </button>
    ${problem && html`<p class="callout verification" data-tone="bad" role="alert">${problem}</p>`}
    ${answer && html`<${Verification} answer=${answer} checkpoint=${checkpoint} />`}
  `;
}

function Verification({ answer, checkpoint }) {
  const files = counted(Object.keys(checkpoint.files).length, "file", "files");
  if (answer.ok) {
    return html`<p class="callout verification" data-tone="good" role="status">Whole: every byte of its ${files} (${bytes(checkpoint.bytes)}) is as it was written.</p>`;
  }
  return html`
    <div class="callout verification" data-tone="bad" role="alert">
      Damaged: it is not used until it verifies again.
      <ul>${answer.problems.map((each) => html`<li key=${each}>${each}</li>`)}</ul>
    </div>
  `;
}

function DeleteDialog({ checkpoint, lineage, refresh, onClose }) {
  const confirm = async () => {
    await send("DELETE", checkpointPath(checkpoint.id));
    onClose();
    refresh();
  };
  const files = counted(Object.keys(checkpoint.files).length, "file", "files");
  const users = lineage.uses.length;
  return html`
    <${Dialog} title="Delete this checkpoint?" confirm="Delete it" keep="Keep it" onConfirm=${confirm} onClose=${onClose}>
      <p>
        Its folder is removed from the volume: ${files}, ${bytes(checkpoint.bytes)}, of ${stepTitle(checkpoint)}.
        This cannot be undone.
      </p>
      <p class="quiet path"><code>${checkpoint.path}</code></p>
      ${checkpoint.tags.length > 0 && html`<p>It is tagged ${checkpoint.tags.join(", ")}.</p>`}
      ${users > 0 && html`<p>${counted(users, "job", "jobs")} used it; what came of ${users === 1 ? "that" : "those"} stays.</p>`}
    <//>
  `;
}

// What may be done with a worker: drain it, let it claim again, end its quarantine.

import { useState } from "../../vendor/preact.js";
import { sendAction } from "../../api/client.js";
import { lacksRole } from "../../api/session.js";
import { html } from "../../parts/html.js";
import { announce } from "../../state/announcer.js";

const DRAIN = { verb: "drain", label: "Drain", title: "It finishes what it runs, and claims no new job" };
const UNDO = { verb: "resume", label: "Let it claim again", title: "Ends the drain" };
const TRUST = { verb: "resume", label: "End the quarantine", title: "It claims jobs again; failures before now do not count any more" };

/** By state what is offered; a worker that does not answer can be drained for when it is back. */
const OFFERS = { active: DRAIN, unreachable: DRAIN, draining: UNDO, quarantined: TRUST };

export function WorkerActions({ worker, refresh }) {
  const [problem, setProblem] = useState(null);
  const [isSending, setSending] = useState(false);
  const offer = lacksRole("admin") ? null : OFFERS[worker.state];
  const send = async () => {
    setSending(true);
    setProblem(null);
    try {
      const path = `/workers/${encodeURIComponent(worker.id)}/${offer.verb}`;
      const changed = await sendAction({ method: "POST", path, body: {}, choices: {} });
      announce(`${worker.host} is now ${changed.state}`);
      refresh();
    } catch (error) {
      setProblem(error.message);
    } finally {
      setSending(false);
    }
  };
  return html`
    <div class="worker-actions">
      ${worker.message && html`<p class="callout" data-tone=${worker.state === "draining" ? "waiting" : "warn"}>${worker.message}</p>`}
      ${offer && html`<button type="button" class="button" title=${offer.title} disabled=${isSending} onClick=${send}>${offer.label}</button>`}
      ${problem && html`<p class="callout" data-tone="bad" role="alert">${problem}</p>`}
    </div>
  `;
}

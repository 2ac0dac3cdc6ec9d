// The log of an attempt: its end, which scrolls with new lines unless the reader has scrolled up.

import { useEffect, useMemo, useSignal } from "../../vendor/preact.js";
import { Poller } from "../../api/poll.js";
import { html } from "../../parts/html.js";
import { LogTail } from "./log_tail.js";

const POLL_MS = 2_000;
const ENDED_POLL_MS = 15_000;

export function LogPanel({ job }) {
  const chosen = useSignal(null);
  const number = chosen.value ?? job.attempt;
  return html`
    <section class="panel log-panel">
      <div class="panel-head">
        <h2>Log</h2>
        ${job.attempt > 1 && html`<${AttemptChoice} newest=${job.attempt} chosen=${chosen} />`}
      </div>
      ${number > 0
        ? html`<${Tail} key=${number} jobId=${job.id} attempt=${number} isLive=${job.state === "running"} />`
        : html`<p class="quiet">No output yet.</p>`}
    </section>
  `;
}

/** The newest attempt is followed to the next one, another that was chosen is not. */
function AttemptChoice({ newest, chosen }) {
  const choose = (event) => {
    const number = Number(event.currentTarget.value);
    chosen.value = number === newest ? null : number;
  };
  const numbers = Array.from({ length: newest }, (_, index) => index + 1);
  return html`
    <select aria-label="Attempt" value=${String(chosen.value ?? newest)} onChange=${choose}>
      ${numbers.map((number) => html`<option key=${number} value=${String(number)}>Attempt ${number}</option>`)}
    </select>
  `;
}

function Tail({ jobId, attempt, isLive }) {
  const state = useSignal({ isEmpty: true, isFollowed: true, problem: null });
  const tail = useMemo(() => new LogTail(jobId, attempt, state), [jobId, attempt]);
  useEffect(() => {
    const poller = new Poller((signal) => tail.read(signal), isLive ? POLL_MS : ENDED_POLL_MS, (error) => tail.fail(error));
    poller.start();
    return () => poller.stop();
  }, [tail, isLive]);
  const { isEmpty, isFollowed, problem } = state.value;
  return html`
    ${isEmpty && html`<p class="quiet">${problem ?? "No output yet."}</p>`}
    <div class="log-box">
      <pre class="log" tabindex="0" role="region" aria-label="Log" ref=${tail.attach} onScroll=${() => tail.look()}></pre>
      ${!isFollowed && html`<button type="button" class="button to-end" onClick=${() => tail.follow()}>Jump to the end</button>`}
    </div>
  `;
}

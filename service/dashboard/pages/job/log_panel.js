// The log of an attempt: its end, which scrolls with new lines unless the reader has scrolled up.

import { useEffect, useLayoutEffect, useMemo, useSignal, useState } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { Poller } from "../../api/poll.js";
import { html } from "../../parts/html.js";
import { LogSearch } from "./log_search.js";
import { LogTail, UNREAD } from "./log_tail.js";
import { LogTools } from "./log_tools.js";

const POLL_MS = 2_000;
const ENDED_POLL_MS = 15_000;

export function LogPanel({ job }) {
  const chosen = useSignal(null);
  const [isFull, setFull] = useState(false);
  const number = chosen.value ?? job.attempt;
  const leave = (event) => {
    if (event.key === "Escape" && isFull) setFull(false);
  };
  return html`
    <section id="log" class=${isFull ? "panel log-panel full" : "panel log-panel"} onKeyDown=${leave}>
      <div class="panel-head">
        <h2>Log</h2>
        ${job.attempt > 1 && html`<${AttemptChoice} newest=${job.attempt} chosen=${chosen} />`}
        ${number > 0 &&
        html`
          <a class="button" href=${`${jobPath(job.id)}/log.txt?attempt=${number}`} download=${`${job.id}-${number}.log`}>Download</a>
          <button type="button" class="button" aria-pressed=${String(isFull)} onClick=${() => setFull(!isFull)}>Full screen</button>
        `}
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
  const state = useSignal(UNREAD);
  const place = useSignal({ number: 0, count: 0 });
  const [isWrapped, setWrapped] = useState(true);
  const [showsTimes, setShowsTimes] = useState(true);
  const { tail, search } = useMemo(() => {
    const made = new LogTail(jobId, attempt, state, (lines) => {
      found.add(lines);
      place.value = found.place;
    });
    const found = new LogSearch(() => made.lines);
    return { tail: made, search: found };
  }, [jobId, attempt]);
  useEffect(() => {
    const poller = new Poller((signal) => tail.read(signal), isLive ? POLL_MS : ENDED_POLL_MS, (error) => tail.fail(error));
    poller.start();
    return () => poller.stop();
  }, [tail, isLive]);
  const { isEmpty, isFollowed, isCut, hasTimes, problem } = state.value;
  const classes = ["log", isWrapped ? "" : "unwrapped", showsTimes && hasTimes ? "timed" : ""].filter(Boolean).join(" ");
  // The end is elsewhere once lines are wrapped otherwise.
  useLayoutEffect(() => {
    if (isFollowed) tail.follow();
  }, [classes]);
  return html`
    <${LogTools} tail=${tail} search=${search} place=${place} isFollowed=${isFollowed}>
      <label><input type="checkbox" checked=${isWrapped} onChange=${() => setWrapped(!isWrapped)} /> Wrap lines</label>
      ${hasTimes && html`<label><input type="checkbox" checked=${showsTimes} onChange=${() => setShowsTimes(!showsTimes)} /> Times</label>`}
    <//>
    ${isCut && html`<p class="cut quiet">The end of the log; the download has all of it.</p>`}
    <div class="log-box">
      ${isEmpty && html`<p class="quiet nothing">${problem ?? "No output yet."}</p>`}
      <pre class=${classes} tabindex="0" role="region" aria-label="Log" ref=${tail.attach} onScroll=${() => tail.look()}></pre>
      ${!isFollowed && html`<button type="button" class="button to-end" onClick=${() => tail.follow()}>Jump to the end</button>`}
    </div>
  `;
}

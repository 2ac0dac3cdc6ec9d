// The use of the host and the GPUs on which a job runs or ran: folded, and there while there are samples.

import { useState } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { UseCharts } from "../../charts/use_charts.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { isEnded } from "../../parts/states.js";
import { addressOf } from "../../state/route.js";

const LOOK_MS = 30_000;
const POLL_MS = 10_000;
const MAX_POINTS = 300;

/** @param {{job: any, shared?: any}} props With `shared`, as of `UseCharts`, it has the axis of the job's other charts. */
export function HostUse({ job, shared = null }) {
  const [isOpen, setOpen] = useState(false);
  const path = `${jobPath(job.id)}/samples`;
  // Two points are enough to see whether there is anything.
  const { value } = usePolled(job.attempt ? `${path}?max_points=2` : null, LOOK_MS, job.attempt);
  if (!value?.attempts.length) return null;
  return html`
    <details class="panel host-use" onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary><h2>Host and GPU</h2></summary>
      ${isOpen && html`<${AttemptUse} shared=${shared} path=${`${path}?max_points=${MAX_POINTS}`} everyMs=${isEnded(job) ? LOOK_MS : POLL_MS} />`}
    </details>
  `;
}

function AttemptUse({ shared, path, everyMs }) {
  const [chosen, setChosen] = useState(null);
  const { value, error } = usePolled(path, everyMs);
  const attempts = value?.attempts ?? [];
  const shown = attempts.find(({ attempt }) => attempt === chosen) ?? attempts.at(-1);
  return html`
    <${Problem} of="Host and GPU" error=${error} />
    ${shown &&
    html`
      <div class="chart-settings" role="group" aria-label="Host and GPU">
        ${attempts.length > 1 && html`<${AttemptChoice} attempts=${attempts} chosen=${shown.attempt} onChoose=${setChosen} />`}
        <a href=${addressOf(["workers"], { open: shown.worker_id })}>Worker ${shown.worker_id}</a>
        ${shown.gpus?.length > 0 && html`<span>GPU ${shown.gpus.join(", ")}</span>`}
      </div>
      <${UseCharts} key=${shown.attempt} series=${shown.series} shared=${shared} />
    `}
  `;
}

function AttemptChoice({ attempts, chosen, onChoose }) {
  return html`
    <label>Attempt
      <select value=${String(chosen)} onChange=${(event) => onChoose(Number(event.currentTarget.value))}>
        ${attempts.map(({ attempt }) => html`<option key=${attempt} value=${String(attempt)}>${attempt}</option>`)}
      </select>
    </label>
  `;
}

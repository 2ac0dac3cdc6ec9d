// The attempts of a job, the newest first.

import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { At } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { duration, NONE, words } from "../../text/format.js";

const POLL_MS = 10_000;

/** Of a job without GPUs there is nothing to say. */
const GPUS = { name: "GPUs", cell: ({ gpu_count: gpus }) => gpus ?? NONE };

const columnsOf = (attempts) => [
  { name: "Attempt", cell: ({ number }) => String(number) },
  { name: "State", cell: ({ state }) => html`<${Badge} state=${state} />` },
  { name: "Worker", cell: ({ worker_id: worker }) => html`<code>${worker}</code>` },
  ...(attempts.some(({ gpu_count: gpus }) => gpus) ? [GPUS] : []),
  { name: "Started", cell: ({ started_at: at }) => html`<${At} at=${at} />` },
  { name: "Duration", cell: durationOf },
  { name: "Reason", cell: ({ reason, message }) => [reason && words(reason), message].filter(Boolean).join(": ") || NONE },
];

export function Attempts({ job }) {
  const { value, error } = usePolled(`${jobPath(job.id)}/attempts`, POLL_MS, job.version);
  const attempts = [...(value?.data ?? [])].sort((one, other) => other.number - one.number);
  return html`
    <section class="panel attempts">
      <h2>Attempts</h2>
      <${Problem} of="Attempts" error=${error} />
      ${value && !attempts.length && html`<p class="quiet">No worker has claimed this job yet.</p>`}
      ${attempts.length > 0 && html`<${Table} label="Attempts" columns=${columnsOf(attempts)} rows=${attempts} keyOf=${({ number }) => number} />`}
    </section>
  `;
}

function durationOf({ started_at: start, finished_at: end }) {
  return start && end ? duration((Date.parse(end) - Date.parse(start)) / 1000) : NONE;
}

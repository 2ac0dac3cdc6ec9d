// All about one worker: what may be done with it, its GPUs, its host, and the charts of its use.

import { usePolled } from "../../api/polled.js";
import { Ago } from "../../parts/ago.js";
import { Definitions } from "../../parts/definitions.js";
import { html } from "../../parts/html.js";
import { Meter } from "../../parts/meter.js";
import { Table } from "../../parts/table.js";
import { addressOf } from "../../state/route.js";
import { bytes, count, memory, NONE } from "../../text/format.js";
import { celsius, gpuUses, share, temperatureTone, watts } from "../../text/use.js";
import { labelTexts } from "../../text/workers.js";
import { JobLinks, jobText } from "./job_links.js";
import { WorkerActions } from "./worker_actions.js";
import { WorkerCharts } from "./worker_charts.js";

const POLL_MS = 60_000;
/** At which a bar of temperature is full. */
const HOTTEST = 100;

export function WorkerDetail({ worker, refresh }) {
  const { value } = usePolled(`workers/${encodeURIComponent(worker.id)}`, POLL_MS, worker.catalog_digest);
  const gpus = gpuUses(worker);
  return html`
    <div class="worker-detail">
      <${WorkerActions} worker=${worker} refresh=${refresh} />
      ${gpus.length > 0 && html`<${Table} label=${`GPUs of ${worker.host}`} columns=${columnsOf(worker)} rows=${gpus} keyOf=${({ index }) => index} />`}
      <${About} worker=${worker} recipes=${value?.recipes} />
      <${WorkerCharts} worker=${worker} />
    </div>
  `;
}

function columnsOf(worker) {
  const of = (what, index) => `${what} of GPU ${index} of ${worker.host}`;
  return [
    { name: "GPU", cell: ({ index, name }) => html`${index} <small>${name}</small>` },
    { name: "Use", cell: ({ index, use }) => html`<${Meter} label=${of("Use", index)} part=${use} text=${share(use)} />` },
    {
      name: "Memory",
      cell: ({ index, memoryUse, usedBytes, totalBytes }) =>
        html`<${Meter} label=${of("Memory", index)} part=${memoryUse} text=${ofTotal(usedBytes, totalBytes, memory)} />`,
    },
    {
      name: "Temperature",
      cell: ({ index, temperature }) =>
        html`<${Meter} label=${of("Temperature", index)} part=${temperature === null ? null : temperature / HOTTEST} text=${celsius(temperature)} tone=${temperatureTone(temperature)} />`,
    },
    { name: "Power", cell: ({ power }) => watts(power) },
    {
      name: "Job",
      cell: ({ jobId, problem }) =>
        jobId
          ? html`<a href=${addressOf(["jobs", jobId])} title=${jobId}>${jobText(worker, jobId)}</a>`
          : html`<small class=${problem ? "why" : null}>${problem ? `not given out: ${problem}` : "free"}</small>`,
    },
  ];
}

function About({ worker, recipes }) {
  const { sample } = worker;
  const jobs = worker.jobs ?? [];
  const labels = labelTexts(worker.labels);
  const entries = [
    { name: "Runs", value: jobs.length ? html`<span class="runs"><${JobLinks} worker=${worker} /></span>` : "nothing" },
    { name: "Slots", value: `${count(jobs.length)} of ${count(worker.slots)} taken` },
    { name: "Memory", value: ofTotal(sample?.memory_used_bytes, sample?.memory_total_bytes, memory) },
    { name: "Disk of the volume", value: ofTotal(sample?.disk_used_bytes, sample?.disk_total_bytes, bytes) },
    { name: "Labels", value: labels.length ? labels.join(", ") : "none" },
    { name: "Recipes", value: recipes ? recipes.join(", ") || "none" : NONE },
    { name: "Version", value: worker.version || NONE },
    { name: "Worker", value: html`<code>${worker.id}</code>` },
    { name: "Registered", value: html`<${Ago} at=${worker.registered_at} />` },
    { name: "Measured", value: worker.sampled_at ? html`<${Ago} at=${worker.sampled_at} />` : "not within the last hour" },
  ];
  return html`<div class="about"><${Definitions} entries=${entries} /></div>`;
}

const ofTotal = (used, total, format) =>
  total === null || total === undefined ? NONE : used === null || used === undefined ? format(total) : `${format(used)} of ${format(total)}`;

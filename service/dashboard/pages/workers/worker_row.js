// A worker in one row, and below it all about it once the row is unfolded.

import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Meter } from "../../parts/meter.js";
import { celsius, fullnessTone, gpuUses, hostUse, meanOf, share } from "../../text/use.js";
import { devicesText, labelTexts, unusableGpusText, workerTone } from "../../text/workers.js";
import { GpuStrip } from "./gpu_strip.js";
import { JobLinks } from "./job_links.js";
import { WorkerDetail } from "./worker_detail.js";

const MOST_LINKS = 3;

export function WorkerRow({ worker, isUnfolded, onToggle, columns, refresh }) {
  const { cpu, memory, disk } = hostUse(worker.sample);
  const detail = `about-${worker.id}`;
  const meter = (what, part, tone) => html`<${Meter} label=${`${what} of ${worker.host}`} part=${part} text=${share(part)} tone=${tone} />`;
  return html`
    <tr role="row" data-worker=${worker.id} class=${isUnfolded ? "is-unfolded" : null}>
      <td role="cell" class="host">
        <button type="button" class="unfold" title=${worker.id} aria-expanded=${isUnfolded} aria-controls=${isUnfolded ? detail : null} onClick=${() => onToggle(worker.id)}>${worker.host}</button>
        <${Note} worker=${worker} />
      </td>
      <td role="cell" class="state"><${Badge} state=${worker.state} tone=${workerTone(worker)} /></td>
      <td role="cell" class="runs"><${JobLinks} worker=${worker} most=${MOST_LINKS} /></td>
      <td role="cell" class="gpus"><${Devices} worker=${worker} /></td>
      <td role="cell" class="use" data-label="CPU">${meter("CPU", cpu, "active")}</td>
      <td role="cell" class="use" data-label="Memory">${meter("Memory", memory, fullnessTone(memory))}</td>
      <td role="cell" class="use" data-label="Disk">${meter("Disk", disk, fullnessTone(disk))}</td>
      <td role="cell" class="seen"><${Ago} at=${worker.last_seen_at} /></td>
    </tr>
    ${isUnfolded &&
    html`
      <tr role="row" class="unfolded" id=${detail}>
        <td role="cell" colspan=${columns}><${WorkerDetail} worker=${worker} refresh=${refresh} /></td>
      </tr>
    `}
  `;
}

/** Below the host: why it takes no jobs or gives out not all of its GPUs, or else its labels. */
function Note({ worker }) {
  const problem = worker.message || unusableGpusText(worker.gpus);
  const text = problem || labelTexts(worker.labels).join(" · ");
  return text && html`<small class=${problem ? "why" : null} title=${text}>${text}</small>`;
}

function Devices({ worker }) {
  const gpus = gpuUses(worker);
  if (!gpus.length) return html`<small>CPU alone</small>`;
  const use = meanOf(gpus.map((gpu) => gpu.use));
  const hottest = Math.max(...gpus.map(({ temperature }) => temperature ?? -Infinity));
  const figures = [use === null ? null : share(use), Number.isFinite(hottest) ? celsius(hottest) : null].filter(Boolean);
  return html`
    <${GpuStrip} gpus=${gpus} />
    ${figures.length > 0 && html`<span class="gpu-figures">${figures.join(" · ")}</span>`}
    <small>${devicesText(worker.gpus)}</small>
  `;
}

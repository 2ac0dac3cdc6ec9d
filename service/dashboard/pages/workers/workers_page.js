// The page of the workers: what they have, and what runs there.

import { useEffect } from "../../vendor/preact.js";
import { usePolled } from "../../api/polled.js";
import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { addressOf } from "../../state/route.js";
import { memory } from "../../text/format.js";
import { workerTone } from "../../text/workers.js";

const POLL_MS = 5_000;

export function WorkersPage() {
  const { value, error } = usePolled("workers", POLL_MS);
  useEffect(() => {
    document.title = "Workers – Trainyard";
  }, []);
  return html`
    <div class="page-head"><h1>Workers</h1></div>
    <${Problem} of="Workers" error=${error} />
    ${value && (value.data.length ? html`<${WorkerTable} workers=${value.data} />` : html`<${NoWorkers} />`)}
  `;
}

function NoWorkers() {
  return html`
    <div class="empty">
      <h2>No workers</h2>
      <p>Jobs wait until one is started: <code>trainyard worker --server ${new URL(".", document.baseURI).href}</code></p>
    </div>
  `;
}

function WorkerTable({ workers }) {
  return html`
    <section class="panel" aria-label="Workers">
      <table>
        <thead>
          <tr><th scope="col">Host</th><th scope="col">State</th><th scope="col">Devices</th><th scope="col">Jobs</th><th scope="col">Last seen</th></tr>
        </thead>
        <tbody>${workers.map((worker) => html`<${WorkerRow} key=${worker.id} worker=${worker} />`)}</tbody>
      </table>
    </section>
  `;
}

function WorkerRow({ worker }) {
  const jobs = worker.jobs ?? [];
  return html`
    <tr data-worker=${worker.id}>
      <td data-label="Host"><span title=${worker.id}>${worker.host}</span></td>
      <td data-label="State"><${Badge} state=${worker.state} tone=${workerTone(worker)} /></td>
      <td data-label="Devices">${devicesOf(worker.gpus ?? [])}</td>
      <td data-label="Jobs">${jobs.map((id) => html`<a key=${id} href=${addressOf(["jobs", id])} title=${id}>…${id.slice(-6)}</a> `)}</td>
      <td data-label="Last seen"><${Ago} at=${worker.last_seen_at} /></td>
    </tr>
  `;
}

function devicesOf(gpus) {
  if (!gpus.length) return "CPU";
  const kinds = new Map();
  for (const gpu of gpus) {
    const kind = `${gpu.name} ${memory(gpu.memory_bytes)}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, many]) => (many > 1 ? `${many} × ${kind}` : kind)).join(", ");
}

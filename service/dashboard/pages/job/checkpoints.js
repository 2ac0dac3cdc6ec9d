// The checkpoints of a job in a short table: the latest, the best, pinned ones and the last few.

import { useState } from "../../vendor/preact.js";
import { fileUrl } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { Files } from "../../parts/files.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { addressOf } from "../../state/route.js";
import { isRetained } from "../../text/checkpoints.js";
import { bytes, count, counted, namedMetric, validationTitle } from "../../text/format.js";

const POLL_MS = 10_000;
const WEIGHTS = "model.safetensors";
const LAST_FEW = 3;
const MOST = 100;

export function JobCheckpoints({ job }) {
  const { value, error } = usePolled(checkpointsPath(job, true), POLL_MS, job.version);
  const checkpoints = value?.data ?? [];
  const isLeading = (each, index) => index < LAST_FEW || each.pinned || each.id === job.latest_checkpoint || each.id === job.best_checkpoint;
  const leading = checkpoints.filter(isLeading);
  const others = checkpoints.filter((each, index) => !isLeading(each, index));
  return html`
    <section class="panel checkpoints">
      <div class="panel-head">
        <h2>Checkpoints</h2>
        <a href=${addressOf(["checkpoints"], { job: job.id })}>${value?.has_more ? `More than ${count(MOST)}` : "All of this job"}</a>
      </div>
      <${Problem} of="Checkpoints" error=${error} />
      ${value && !checkpoints.length && html`<p class="quiet">None yet. The first is saved at the save interval, or at the end.</p>`}
      ${leading.length > 0 && html`<${CheckpointTable} label="Checkpoints" job=${job} checkpoints=${leading} />`}
      ${others.length > 0 &&
      html`
        <${Folded} title=${counted(others.length, "older checkpoint", "older checkpoints")}>
          <${CheckpointTable} label="Older checkpoints" job=${job} checkpoints=${others} />
        <//>
      `}
      ${value && job.attempt > 0 && html`<${Folded} title="Removed checkpoints"><${Removed} job=${job} /><//>`}
    </section>
  `;
}

/** The path of the checkpoints of a job, the newest first: those that are kept, or those that are removed. */
export const checkpointsPath = (job, isRetained) =>
  `checkpoints?${new URLSearchParams({ job: job.id, retained: String(isRetained), order_by: "-step", limit: String(MOST), manifest: "false" })}`;

/** What is drawn, and asked for, once it is unfolded. */
function Folded({ title, children }) {
  const [isOpen, setOpen] = useState(false);
  return html`
    <details class="folded" onToggle=${(event) => setOpen(event.target.open)}>
      <summary>${title}</summary>
      ${isOpen && children}
    </details>
  `;
}

function Removed({ job }) {
  const { value, error } = usePolled(checkpointsPath(job, false), POLL_MS, job.version);
  return html`
    <${Problem} of="Removed checkpoints" error=${error} />
    ${value && !value.data.length && html`<p class="quiet">None.</p>`}
    ${value?.data.length > 0 && html`<${CheckpointTable} label="Removed checkpoints" job=${job} checkpoints=${value.data} />`}
    ${value?.has_more && html`<p><a href=${addressOf(["checkpoints"], { job: job.id, removed: "1" })}>All of them</a></p>`}
  `;
}

function CheckpointTable({ label, job, checkpoints }) {
  return html`
    <${Table}
      label=${label}
      columns=${columnsOf(job)}
      rows=${checkpoints}
      keyOf=${({ id }) => id}
      attributesOf=${({ id, state }) => ({ "data-checkpoint": id, "data-state": state })}
    />
  `;
}

const columnsOf = (job) => [
  {
    name: "Step",
    kind: "step",
    cell: (checkpoint) => html`
      <b><a href=${addressOf(["checkpoints", checkpoint.id])} title=${checkpoint.id}>${count(checkpoint.step)}</a></b>
      <span class="tags">${tagsOf(checkpoint, job).map((tag) => html`<span key=${tag} class="tag">${tag}</span>`)}</span>
    `,
  },
  { name: "Measured", cell: ({ metrics }) => html`<${Measures} metrics=${metrics} />` },
  { name: "Size", kind: "size", cell: (checkpoint) => bytes(checkpoint.bytes) },
  { name: "Saved", kind: "saved", cell: ({ created_at: at }) => html`<${Ago} at=${at} />` },
  { name: "Files", kind: "files", cell: (checkpoint) => html`<${CheckpointFiles} checkpoint=${checkpoint} />` },
];

function tagsOf(checkpoint, job) {
  return [
    checkpoint.phase === "train" ? null : checkpoint.phase,
    checkpoint.id === job.latest_checkpoint ? "latest" : null,
    checkpoint.id === job.best_checkpoint ? "best" : null,
    checkpoint.pinned ? "pinned" : null,
    ...checkpoint.tags,
  ].filter(Boolean);
}

function Measures({ metrics }) {
  return html`
    <ul class="measures">
      ${Object.entries(metrics).map(
        ([name, value]) => html`<li key=${name}><span class="quiet">${validationTitle(name)}</span> ${namedMetric(name, value)}</li>`,
      )}
    </ul>
  `;
}

/** The weights are in sight, the others (a file for each rank) folded. */
function CheckpointFiles({ checkpoint }) {
  if (!isRetained(checkpoint)) return html`<span class="quiet">${REMOVALS.get(checkpoint.state) ?? checkpoint.state}</span>`;
  const files = Object.entries(checkpoint.files);
  const weights = files.filter(([name]) => name === WEIGHTS);
  const others = files.filter(([name]) => name !== WEIGHTS);
  const hrefOf = (name) => fileUrl(checkpoint.id, name);
  const folded = weights.length > 0 && others.length > 0;
  return html`
    ${checkpoint.state === "damaged" && html`<${Badge} state="damaged" />`}
    <${Files} files=${weights.length ? weights : others} hrefOf=${hrefOf} />
    ${folded &&
    html`
      <details>
        <summary>${others.length} more ${others.length === 1 ? "file" : "files"}</summary>
        <${Files} files=${others} hrefOf=${hrefOf} />
      </details>
    `}
  `;
}

const REMOVALS = new Map([
  ["purging", "being removed by retention"],
  ["deleting", "being deleted"],
  ["purged", "removed"],
]);

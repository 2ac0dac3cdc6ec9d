// The checkpoints of a job, the newest first, with their files.

import { fileUrl, jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Badge } from "../../parts/badge.js";
import { Files } from "../../parts/files.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { bytes, count, dateAndTime, namedMetric, validationTitle } from "../../text/format.js";

const POLL_MS = 10_000;
const WEIGHTS = "model.safetensors";

export function JobCheckpoints({ job }) {
  const { value, error } = usePolled(`${jobPath(job.id)}/checkpoints`, POLL_MS, job.version);
  const newestFirst = (one, other) => other.step - one.step || other.created_at.localeCompare(one.created_at);
  const checkpoints = [...(value?.data ?? [])].sort(newestFirst);
  return html`
    <section class="panel checkpoints">
      <h2>Checkpoints</h2>
      <${Problem} of="Checkpoints" error=${error} />
      ${value && !checkpoints.length && html`<p class="quiet">None yet. The first is saved at the save interval, or at the end.</p>`}
      ${checkpoints.length > 0 &&
      html`
        <${Table}
          label="Checkpoints"
          columns=${columnsOf(job)}
          rows=${checkpoints}
          keyOf=${({ id }) => id}
          attributesOf=${({ id, state }) => ({ "data-checkpoint": id, "data-state": state })}
        />
      `}
    </section>
  `;
}

const columnsOf = (job) => [
  {
    name: "Step",
    kind: "step",
    cell: (checkpoint) => html`
      <b title=${checkpoint.id}>${count(checkpoint.step)}</b>
      <span class="tags">${tagsOf(checkpoint, job).map((tag) => html`<span key=${tag} class="tag">${tag}</span>`)}</span>
    `,
  },
  { name: "Measured", cell: ({ metrics }) => html`<${Measures} metrics=${metrics} />` },
  { name: "Size", kind: "size", cell: (checkpoint) => bytes(checkpoint.bytes) },
  { name: "Saved", kind: "saved", cell: ({ created_at: at }) => dateAndTime(at) },
  { name: "Files", kind: "files", cell: (checkpoint) => html`<${CheckpointFiles} checkpoint=${checkpoint} />` },
];

function tagsOf(checkpoint, job) {
  return [
    checkpoint.phase === "train" ? null : checkpoint.phase,
    checkpoint.id === job.latest_checkpoint ? "latest" : null,
    checkpoint.id === job.best_checkpoint ? "best" : null,
    checkpoint.pinned ? "pinned" : null,
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
  if (checkpoint.state.startsWith("purg")) return html`<span class="quiet">removed by retention</span>`;
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

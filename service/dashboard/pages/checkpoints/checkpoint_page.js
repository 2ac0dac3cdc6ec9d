// The page of one checkpoint: what it is, what it measured, its files, where it comes from.

import { useEffect } from "../../vendor/preact.js";
import { checkpointPath, fileUrl, jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { lacksRole } from "../../api/session.js";
import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { Definitions } from "../../parts/definitions.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { maySteer } from "../../parts/use_actions.js";
import { addressOf } from "../../state/route.js";
import { isRetained, shortId, stepTitle } from "../../text/checkpoints.js";
import { bytes, namedMetric, validationTitle } from "../../text/format.js";
import { isFound, titleOf } from "../../text/job_title.js";
import { CheckpointActions } from "./checkpoint_actions.js";
import { Evaluations } from "./evaluations.js";
import { LineageDrawing } from "./lineage.js";
import { ManifestPanel } from "./manifest.js";
import { Pin } from "./pin.js";
import { Tags } from "./tags.js";

const POLL_MS = 5_000;
const SLOW_POLL_MS = 15_000;

export function CheckpointPage({ id }) {
  const { value: checkpoint, error, refresh } = usePolled(checkpointPath(id), POLL_MS);
  useEffect(() => {
    document.title = `${checkpoint ? titleText(checkpoint) : id} – Trainyard`;
  }, [id, checkpoint]);
  // 422: it cannot be the id of a checkpoint at all.
  const isAbsent = error?.status === 404 || error?.status === 422;
  const problem = error && (isAbsent ? `There is no checkpoint ${id}.` : error.message);
  return html`
    <article class="job-page checkpoint-page" aria-busy=${!checkpoint && !error}>
      <p class="back"><a href="#/checkpoints">← Checkpoints</a></p>
      ${problem && html`<p class="callout" data-tone="bad">${problem}</p>`}
      ${checkpoint && html`<${Shown} checkpoint=${checkpoint} isGone=${isAbsent} refresh=${refresh} />`}
    </article>
  `;
}

const titleText = (checkpoint) => {
  const title = `${stepTitle(checkpoint)} of ${checkpoint.recipe} ${checkpoint.variant}`;
  return title.charAt(0).toUpperCase() + title.slice(1);
};

function Shown({ checkpoint, isGone, refresh }) {
  const { value: lineage, error } = usePolled(`${checkpointPath(checkpoint.id)}/lineage`, SLOW_POLL_MS, checkpoint.state);
  // Without a spec the job has been deleted.
  const hasJob = !lineage || Boolean(lineage.spec);
  const { value: job } = usePolled(lineage && hasJob ? jobPath(checkpoint.job_id) : null, SLOW_POLL_MS);
  const isOthers = job ? !maySteer(job) : !hasJob && lacksRole("admin");
  return html`
    <header class="job-head">
      <div class="name"><h1>${titleText(checkpoint)}</h1><${Badge} state=${checkpoint.state} tone=${checkpoint.state === "published" ? "good" : undefined} /></div>
      ${!isGone && html`<div class="verbs"><${CheckpointActions} checkpoint=${checkpoint} lineage=${lineage} job=${job} isOthers=${isOthers} refresh=${refresh} /></div>`}
      <p class="identity">${checkpoint.id} · <${Ago} at=${checkpoint.created_at} prefix="saved " /></p>
      <div class="checkpoint-marks">
        ${job?.latest_checkpoint === checkpoint.id && html`<span class="tag">latest of its job</span>`}
        ${job?.best_checkpoint === checkpoint.id && html`<span class="tag">best of its job</span>`}
        <${Pin} checkpoint=${checkpoint} isOthers=${isOthers} afterwards=${refresh} />
        <${Tags} checkpoint=${checkpoint} isOthers=${isOthers} afterwards=${refresh} />
        ${isOthers && html`<span class="quiet">Only ${job?.submitted_by ? `${job.submitted_by} or an admin` : "an admin"} may change it.</span>`}
      </div>
    </header>
    <section class="figures"><h2 class="unseen">Figures</h2><${Definitions} entries=${figuresOf(checkpoint, hasJob, job)} /></section>
    <${Problem} of="Lineage" error=${error} />
    ${lineage && html`<${LineageDrawing} lineage=${lineage} job=${job} />`}
    ${lineage && html`<${Evaluations} uses=${lineage.uses} />`}
    <${FilesPanel} checkpoint=${checkpoint} />
    <${ManifestPanel} checkpoint=${checkpoint} />
  `;
}

const linkTo = (jobId, text) => html`<a href=${addressOf(["jobs", jobId])} title=${jobId}>${text}</a>`;

function figuresOf(checkpoint, hasJob, job) {
  const { metrics, job_id: id } = checkpoint;
  return [
    { name: "Job", value: hasJob ? linkTo(id, job ? titleOf(job) : shortId(id)) : `deleted, ${shortId(id)}`, title: id },
    ...(job?.parent_job_id ? [{ name: isFound(job) ? "Found by" : "Retry of", value: linkTo(job.parent_job_id, shortId(job.parent_job_id)) }] : []),
    { name: "Attempt", value: String(checkpoint.attempt) },
    ...Object.entries(metrics).map(([name, value]) => ({ name: validationTitle(name), value: namedMetric(name, value) })),
    { name: "Size", value: bytes(checkpoint.bytes) },
  ];
}

const COLUMNS = [
  { name: "File", cell: ({ name, href }) => (href ? html`<a href=${href} download=${name}>${name}</a>` : name) },
  { name: "Size", kind: "figure", cell: ({ digest }) => bytes(digest.bytes) },
  { name: "SHA-256", kind: "digest", cell: ({ digest }) => html`<code>${digest.sha256}</code>` },
];

function FilesPanel({ checkpoint }) {
  const isThere = isRetained(checkpoint);
  const files = Object.entries(checkpoint.files).map(([name, digest]) => ({ name, digest, href: isThere && fileUrl(checkpoint.id, name) }));
  return html`
    <section class="panel">
      <h2>Files</h2>
      ${!isThere && html`<p class="quiet">${GOING.get(checkpoint.state) ?? "Its folder may be removed."} This is what it had.</p>`}
      <${Table} label="Files" columns=${COLUMNS} rows=${files} keyOf=${({ name }) => name} />
      <p class="quiet path">On the volume: <code>${checkpoint.path}</code></p>
    </section>
  `;
}

const GOING = new Map([
  ["purging", "Retention is removing its folder."],
  ["deleting", "Its folder is being deleted."],
  ["purged", "Its folder has been removed."],
]);

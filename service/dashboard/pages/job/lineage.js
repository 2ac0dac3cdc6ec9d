// What a job comes from, in its head, and the jobs that came of it, in a table.

import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Badge } from "../../parts/badge.js";
import { Ago } from "../../parts/ago.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { addressOf } from "../../state/route.js";
import { count, metricTitle, namedMetric, NONE, validationTitle } from "../../text/format.js";
import { isFound, titleOf } from "../../text/job_title.js";

const POLL_MS = 20_000;
const MEASURES = ["top1_error", "loss"];

/** @returns {{value: import("../../api/types").JobLineage | null, error: any}} */
export const useLineage = (job) => usePolled(`${jobPath(job.id)}/lineage`, POLL_MS, job.state);

const linkTo = (job) => html`<a href=${addressOf(["jobs", job.id])} title=${job.id}>${titleOf(job)}</a>`;

const VERBS = new Map(Object.entries({ eval: "Evaluates", export: "Exports", search: "Searches" }));

/** Sentences with links to the parent and to the source; nothing for a job that has none. */
export function Origins({ job, lineage }) {
  const parentId = job.parent_job_id;
  const source = lineage?.source;
  if (!parentId && !source) return null;
  const parent = lineage?.parent ?? { id: parentId };
  return html`
    <p class="origins">
      ${parentId && html`<span>${isFound(job) ? "Found by" : "Retry of"} ${lineage && !lineage.parent ? html`<code>${parentId}</code>, which was deleted` : linkTo(parent)}</span>`}
      ${source && html`<span>${VERBS.get(job.kind) ?? "Starts from"} <${Source} source=${source} /></span>`}
    </p>
  `;
}

function Source({ source }) {
  const { step, job, job_id: jobId } = source;
  if (step === null) return html`a checkpoint that was removed (<code>${source.id}</code>)`;
  const title = html`<a href=${addressOf(["checkpoints", source.id])} title=${source.id}>step ${count(step)}</a>`;
  return html`${title} of ${job ? linkTo(job) : html`<code>${jobId}</code>, which was deleted`}`;
}

/** @param {string | null} kind Of the job that they came of. */
const columnsOf = (kind) => [
  { name: "Job", cell: linkTo },
  { name: "What it is", cell: (job) => relationOf(job, kind) },
  { name: "State", cell: ({ state }) => html`<${Badge} state=${state} />` },
  ...MEASURES.map((name) => ({
    name: name === "loss" ? validationTitle(name) : metricTitle(name),
    kind: "figure",
    cell: ({ metrics }) => (metrics[name] === undefined ? NONE : namedMetric(name, metrics[name])),
  })),
  { name: "Submitted", cell: ({ created_at: at }) => html`<${Ago} at=${at} />` },
];

const RELATIONS = new Map(Object.entries({ eval: "evaluation", export: "export", search: "search for a path", train: "training from a checkpoint" }));

function relationOf({ kind, parent_job_id: parent, source_checkpoint: source }, parentKind) {
  const relation = RELATIONS.get(kind) ?? kind;
  // A job that has another kind than its parent has what that found, and is no retry.
  if (parent && parentKind === "search" && kind !== "search") return source ? `${relation} of a path` : "training of a path";
  if (parent && !source) return "retry";
  return parent ? `retry, ${relation}` : relation;
}

export function Descendants({ lineage, error }) {
  const jobs = lineage?.descendants ?? [];
  if (!jobs.length && !error) return null;
  return html`
    <section class="panel descendants">
      <h2>What came of it</h2>
      <${Problem} of="Jobs that came of it" error=${error} />
      ${jobs.length > 0 && html`<${Table} label="Jobs that came of it" columns=${columnsOf(lineage.kind ?? null)} rows=${jobs} keyOf=${({ id }) => id} />`}
      ${lineage?.has_more && html`<p class="quiet">There are more; these are the newest ${count(jobs.length)}.</p>`}
    </section>
  `;
}

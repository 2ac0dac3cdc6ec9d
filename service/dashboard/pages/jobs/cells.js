// The cells of a job's row that are more than a text.

import { jobPath } from "../../api/client.js";
import { Badge } from "../../parts/badge.js";
import { Bar } from "../../parts/bar.js";
import { html } from "../../parts/html.js";
import { Sparkline } from "../../parts/sparkline.js";
import { isEnded } from "../../parts/states.js";
import { now } from "../../state/now.js";
import { addressOf, route } from "../../state/route.js";
import { age, count, counted, dateAndTime, duration, metric, NONE, percent, roughly, words } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";
import { kindNote } from "../../text/kinds.js";
import { isBlank } from "../../text/user_text.js";
import { curves } from "./curves.js";
import { hosts } from "./hosts.js";

export const stateOf = (job) => html`<${Badge} state=${job.state} />`;

/** The name, and below it the labels; a job without labels shows its id there. */
export function nameOf(job) {
  const labels = Object.entries(job.labels ?? {});
  const href = `#/${jobPath(job.id)}`;
  return html`
    <a class=${isBlank(job.name) ? "title unnamed" : "title"} href=${href} title=${titleOf(job)}>${titleOf(job)}</a>
    <small class="below">${labels.map(([key, value]) => html`<${LabelChip} key=${key} name=${key} value=${value} />`)}
      <span class="id">${isBlank(job.name) ? words(job.kind) : job.id}</span></small>
  `;
}

/** A label that filters the list by it. */
function LabelChip({ name, value }) {
  return html`<${FilterLink} className="tag" entry="label" value=${`${name}:${value}`} text=${`${name}: ${value}`} />`;
}

/** A value that filters the list by it. */
function FilterLink({ entry, value, text, className = "value" }) {
  const { segments, query } = route.value;
  const present = Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)]));
  const values = entry === "label" ? [...new Set([...query.getAll(entry), value])] : value;
  const href = addressOf(segments.length ? segments : ["jobs"], { ...present, [entry]: values });
  return html`<a class=${`filter-link ${className}`} href=${href} title=${`Show only jobs with ${text}`}>${text}</a>`;
}

export const labelsOf = (job) =>
  html`<span class="chips">${Object.entries(job.labels).map(([key, value]) => html`<${LabelChip} key=${key} name=${key} value=${value} />`)}</span>`;

export const labelOf = (name, value) =>
  value === undefined ? NONE : html`<${FilterLink} entry="label" value=${`${name}:${value}`} text=${value} />`;

/** A parameter; one that is a plain value filters the list by it. */
export function parameterOf(name, value) {
  if (value === undefined || value === null) return NONE;
  if (typeof value === "object") return html`<span title=${JSON.stringify(value)}>${JSON.stringify(value)}</span>`;
  return html`<${FilterLink} entry=${`param.${name}`} value=${String(value)} text=${String(value)} />`;
}

export const recipeOf = (job) => html`
  <span class="line">${job.recipe ? html`<${FilterLink} entry="recipe" value=${job.recipe} text=${job.recipe} />` : NONE}</span>
  <small class="line">${[job.variant, kindNote(job)].filter(Boolean).join(" · ")}</small>
`;

export const progressOf = (job) => html`
  <span class="bar-line">
    <${Bar} label=${`Progress of ${titleOf(job)}`} fraction=${job.progress.fraction} state=${job.state} />
    <span class="percent">${percent(job.progress.fraction)}</span>
  </span>
  <small class="line" title=${job.message ?? job.wait_reason ?? undefined}>${progressNote(job)}</small>
`;

/** The note below the progress bar: why the job waits, why it failed, or its step. */
function progressNote(job) {
  if (job.state === "failed" && job.reason) return words(job.reason);
  if (job.state === "queued") {
    if (job.wait_reason) return job.wait_reason;
    return job.queue_position ? `number ${job.queue_position} in the queue` : "waiting for a worker";
  }
  return `${count(job.progress.step)} of ${count(job.progress.total_steps)}`;
}

export const curveOf = (job) => html`<${Curve} id=${job.id} />`;

function Curve({ id }) {
  const points = curves.value.get(id);
  if (!points) return null;
  const finite = points.filter(([, value]) => Number.isFinite(value));
  if (!finite.length) return null;
  const [[, first], [step, last]] = [finite[0], finite.at(-1)];
  const label = `Loss from ${metric(first)} to ${metric(last)} in ${counted(step, "step", "steps")}`;
  return html`<span class="curve" title=${label}><${Sparkline} points=${points} label=${label} /></span>`;
}

export const timeOf = (job) => html`<${Time} job=${job} />`;

function Time({ job }) {
  const [main, note] = timesOf(job, now.value);
  return html`
    <span class="line">${main}</span>
    <small class="line" title=${dateAndTime(job.finished_at ?? job.started_at ?? job.created_at)}>${note}</small>
  `;
}

function timesOf(job, nowMs) {
  const since = (iso) => (nowMs - Date.parse(iso)) / 1000;
  if (isEnded(job)) {
    const took = job.started_at ? duration((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000) : NONE;
    return [took, job.finished_at ? age(since(job.finished_at)) : ""];
  }
  if (job.state !== "running") return [age(since(job.created_at)), "submitted"];
  const eta = job.progress.eta_seconds;
  return [eta == null ? "starting" : `${duration(eta)} left`, job.started_at ? `running ${roughly(since(job.started_at))}` : ""];
}

export const durationOf = (job) => html`<${Duration} job=${job} />`;

function Duration({ job }) {
  if (!job.started_at) return NONE;
  const until = job.finished_at ? Date.parse(job.finished_at) : now.value;
  return html`<span class="line">${duration((until - Date.parse(job.started_at)) / 1000)}</span>`;
}

export const idOf = (job) => html`<code>${job.id}</code>`;

/** Who submitted the job; their name filters the list by it. */
export function ownerOf(job) {
  const owner = job.submitted_by;
  return owner ? html`<span class="line" title=${owner}><${FilterLink} entry="submitted_by" value=${owner} text=${owner} /></span>` : NONE;
}

/** The host on which the job runs now. */
export const workerNameOf = (job) => hosts.peek().get(job.id);

export const workerOf = (job) => html`<${Worker} id=${job.id} />`;

function Worker({ id }) {
  return html`<span class="line">${hosts.value.get(id) ?? NONE}</span>`;
}

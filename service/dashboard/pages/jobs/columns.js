// The columns of the list: what each shows, how wide it is, and what it sorts by.

import { hasOwners } from "../../api/session.js";
import { keep, kept } from "../../state/kept.js";
import { dateAndTime, errorRate, metric, metricTitle, namedMetric, NONE, rate } from "../../text/format.js";
import { gpusText, leastGpus } from "../../text/gpus.js";
import * as cells from "./cells.js";

/**
 * @typedef {import("../../api/types").Job} Job
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {string} width As a track of a CSS grid.
 * @property {boolean} [isNumber]
 * @property {string} [order] The order of the server, if it has one.
 * @property {(job: Job) => any} value By which the page sorts if the server cannot.
 * @property {(job: Job) => any} [cell] What is shown, if it is more than the value.
 * @property {boolean} [needsSpec] Whether it shows something of the specification.
 */

const NAME = "columns";

const USUAL_COLUMNS = ["recipe", "progress", "curve", "metrics.loss", "metrics.top1_error", "images_per_second", "time"];
const OWNER = "submitted_by";

/** Shown in a browser that has not been told otherwise; owners where jobs have some. */
export const usualColumns = () => (hasOwners() ? [...USUAL_COLUMNS, OWNER] : USUAL_COLUMNS);

export const FIELDS = [
  "id", "kind", "recipe", "variant", "name", "labels", "state", "reason", "message", "created_at", "started_at", "finished_at",
  "progress", "metrics", "queue_position", "wait_reason", "attempt", "result", "submitted_by", "version",
];

/** Always there, and always first. @type {Column[]} */
export const FIRST_COLUMNS = [
  { key: "state", title: "State", width: "128px", value: (job) => job.state, cell: cells.stateOf },
  { key: "job", title: "Job", width: "minmax(180px, 2fr)", value: (job) => job.name ?? job.id, cell: cells.nameOf },
];

/** @type {Column[]} */
const COLUMNS = [
  { key: "recipe", title: "Recipe", width: "minmax(110px, 1.2fr)", value: (job) => job.recipe, cell: cells.recipeOf },
  { key: "progress", title: "Progress", width: "minmax(122px, 1.3fr)", value: (job) => job.progress.fraction, cell: cells.progressOf },
  { key: "curve", title: "Loss curve", width: "112px", value: (job) => job.metrics.loss, order: "metrics.loss", cell: cells.curveOf },
  { key: "images_per_second", title: "Images/s", width: "84px", isNumber: true, value: speedOf, cell: (job) => rate(speedOf(job)) },
  { key: "time", title: "Time", width: "154px", order: "created_at", value: (job) => job.created_at, cell: cells.timeOf },
  { key: "duration", title: "Duration", width: "104px", isNumber: true, order: "duration", value: (job) => job.started_at, cell: cells.durationOf },
  { key: "created", title: "Submitted", width: "176px", order: "created_at", value: (job) => job.created_at, cell: (job) => dateAndTime(job.created_at) },
  { key: OWNER, title: "By", width: "78px", value: (job) => job.submitted_by, cell: cells.ownerOf },
  { key: "labels", title: "Labels", width: "minmax(140px, 1fr)", value: (job) => Object.values(job.labels)[0], cell: cells.labelsOf },
  { key: "priority", title: "Priority", width: "80px", isNumber: true, order: "priority", needsSpec: true, value: (job) => specOf(job).priority },
  { key: "preemptible", title: "Preemptible", width: "96px", needsSpec: true, value: (job) => Boolean(specOf(job).preemptible), cell: (job) => (specOf(job).preemptible ? "yes" : NONE) },
  { key: "gpus", title: "GPUs", width: "72px", isNumber: true, needsSpec: true, value: (job) => leastGpus(specOf(job).resources?.gpus), cell: (job) => gpusText(specOf(job).resources?.gpus) || NONE },
  { key: "attempt", title: "Attempts", width: "88px", isNumber: true, value: (job) => job.attempt },
  { key: "worker", title: "Worker", width: "130px", value: cells.workerNameOf, cell: cells.workerOf },
  { key: "kind", title: "Kind", width: "88px", value: (job) => job.kind },
  { key: "id", title: "Id", width: "250px", value: (job) => job.id, cell: cells.idOf },
];

/** The specification of a job, if it was asked for; one of another version may be anything. @returns {any} */
const specOf = (job) => job.spec ?? {};

function speedOf(job) {
  return job.progress.images_per_second ?? job.result?.images_per_second ?? job.metrics.images_per_second;
}

/** Columns that each job may have others of: "metrics.loss", "param.seed", "label.team". */
const FAMILIES = {
  metrics: (name) => ({
    title: name === "loss" ? "Loss" : metricTitle(name),
    width: "98px",
    isNumber: true,
    order: `metrics.${name}`,
    value: (job) => job.metrics[name] ?? job.result?.[name],
    cell: (job) => metricCell(name, job.metrics[name] ?? job.result?.[name]),
  }),
  param: (name) => ({
    title: name,
    width: "112px",
    isNumber: true,
    needsSpec: true,
    value: (job) => specOf(job).params?.[name],
    cell: (job) => cells.parameterOf(name, specOf(job).params?.[name]),
  }),
  label: (name) => ({ title: name, width: "120px", value: (job) => job.labels[name], cell: (job) => cells.labelOf(name, job.labels[name]) }),
};

function metricCell(name, value) {
  if (name === "loss") return metric(value);
  return name.endsWith("_error") ? errorRate(value) : namedMetric(name, value);
}

/** The column with a key; null if this page has none. @returns {Column | null} */
export function columnOf(key) {
  const known = [...FIRST_COLUMNS, ...COLUMNS].find((column) => column.key === key);
  if (known) return known;
  const [family, ...rest] = key.split(".");
  const name = rest.join(".");
  return name && Object.hasOwn(FAMILIES, family) ? { key, ...FAMILIES[family](name) } : null;
}

/** The keys of the columns that are chosen: by the address, else by this browser, else the usual ones. */
export function chosenColumns(query) {
  const text = query.get("columns");
  const keys = text === null ? (kept(NAME) ?? usualColumns()) : text.split(",");
  return Array.isArray(keys) ? [...new Set(keys)].filter((key) => typeof key === "string" && columnOf(key) && isOffered(key)) : usualColumns();
}

const isOffered = (key) => key !== OWNER || hasOwners();

export const keepColumns = (keys) => keep(NAME, keys);

/** The keys that can be chosen: the fixed ones, and those that the jobs have. */
export function offeredColumns(jobs) {
  const names = (family, objectOf) =>
    [...new Set(jobs.flatMap((job) => Object.keys(objectOf(job) ?? {})))].sort().map((name) => `${family}.${name}`);
  return {
    Job: COLUMNS.map(({ key }) => key).filter(isOffered),
    Metrics: names("metrics", (job) => job.metrics),
    Labels: names("label", (job) => job.labels),
    Parameters: names("param", (job) => specOf(job).params),
  };
}

/** What a cell shows of a column. */
export function shownIn(column, job) {
  if (column.cell) return column.cell(job);
  const value = column.value(job);
  return value === null || value === undefined ? NONE : String(value);
}

/** The class of a column's cells. */
export const classOf = ({ key, isNumber }) => `col-${key.replaceAll(/[^a-z0-9_]/gi, "-")}${isNumber ? " number" : ""}`;

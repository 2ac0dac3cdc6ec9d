// What jobs have in common and what differs, as rows of values.

import { duration, metricTitle, namedMetric, NONE, shortNumber } from "../../text/format.js";
import { shownName } from "../../text/user_text.js";

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {"job" | "parameter" | "label" | "result"} group
 * @property {(number | string | boolean | null)[]} values One for each job; null where it has none.
 * @property {string[]} texts The values as they are shown.
 */

/**
 * Every row of the jobs: what they are, their parameters, their labels, their results.
 * @param {import("../../api/types").Job[]} jobs
 * @returns {Row[]}
 */
export function rowsOf(jobs) {
  return [
    ...rowsOfGroup("job", jobs, (job) => ({ recipe: job.recipe, variant: job.variant, kind: job.kind, data: dataOf(job), state: job.state, took: tookOf(job) })),
    ...rowsOfGroup("parameter", jobs, (job) => job.spec.params ?? {}),
    ...rowsOfGroup("label", jobs, (job) => job.labels ?? {}),
    ...rowsOfGroup("result", jobs, resultsOf),
  ];
}

/** The rows in which not all jobs have the same. */
export const differing = (rows) => rows.filter(({ texts }) => new Set(texts).size > 1);

function rowsOfGroup(group, jobs, valuesOf) {
  const all = jobs.map((job) => new Map(Object.entries(valuesOf(job))));
  const names = [...new Set(all.flatMap((values) => [...values.keys()]))];
  return names.map((name) => {
    const values = all.map((each) => plain(each.get(name)));
    return { name, group, values, texts: values.map((value) => textOf(group, name, value)) };
  });
}

function plain(value) {
  if (value === undefined || value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : value;
}

function textOf(group, name, value) {
  if (value === null) return NONE;
  if (name === "took") return duration(value);
  if (group === "result" && typeof value === "number") return namedMetric(name, value);
  if (typeof value === "number") return shortNumber(value);
  return shownName(String(value));
}

const tookOf = ({ started_at: start, finished_at: end }) => (start && end ? (Date.parse(end) - Date.parse(start)) / 1000 : null);

function dataOf({ spec }) {
  const data = spec.data ?? {};
  return data.dataset ?? data.packed ?? data.train_dir ?? data.val_dir ?? null;
}

/** The last measurements, and what an eval has found. */
function resultsOf(job) {
  const results = { ...job.metrics, ...job.result };
  delete results.files;
  return results;
}

/** The title of a row. */
export const rowTitle = ({ name, group }) => (group === "result" ? metricTitle(name) : shownName(name));

// A specification that is being written: nested values by their path, such as ["params", "seed"].

import { isMap } from "../../text/changes.js";

/** What of a job's specification is submitted anew; a name would be taken for that of the other job. */
const COPIED = ["kind", "recipe", "variant", "search", "labels", "data", "params", "retention", "resources", "priority", "preemptible", "max_failures", "init_from", "checkpoint"];

export const NEW_DRAFT = { kind: "train", recipe: "oneshot", data: { dataset: "digits" }, params: {} };

/** What of a kind follows from the checkpoint that it names. */
const FOLLOWING = new Map([["search", ["recipe", "variant"]]]);

/** A draft with what a job was submitted with. */
export function draftOf(job) {
  const following = FOLLOWING.get(job.spec.kind) ?? [];
  const names = COPIED.filter((name) => !following.includes(name));
  const entries = names.map((name) => [name, job.spec[name] ?? job[name]]).filter(([, value]) => value !== null && value !== undefined);
  return withoutNulls(Object.fromEntries(entries));
}

/** The value at a path; undefined if there is none. */
export function valueAt(draft, path) {
  return path.reduce((value, name) => (value && Object.hasOwn(value, name) ? value[name] : undefined), draft);
}

/**
 * A copy of the draft with another value at a path; undefined removes it, and with it what is empty then.
 * @param {object} draft
 * @param {string[]} path
 * @param {any} value
 */
export function withValue(draft, path, value) {
  const [name, ...rest] = path;
  const own = { ...draft };
  if (rest.length) {
    const inner = withValue(own[name] ?? {}, rest, value);
    if (value === undefined && !Object.keys(inner).length) delete own[name];
    else own[name] = inner;
  } else if (value === undefined) delete own[name];
  else own[name] = value;
  return own;
}

/** A field that is null is one that was left out. */
export function withoutNulls(value) {
  if (!isMap(value)) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(entries.map(([name, each]) => [name, withoutNulls(each)]));
}

// What a lineage is drawn of: its origin, checkpoints of one job in a row, and branches.

import { isFound } from "../../text/job_title.js";

/** Entries that follow each other and are of one job; the first of `ancestors` is the parent. */
export function groupsOf(ancestors) {
  const groups = [];
  for (const entry of ancestors) {
    const last = groups.at(-1);
    if (last?.job_id === entry.job_id) last.entries.unshift(entry);
    else groups.push({ job_id: entry.job_id, recipe: entry.recipe, variant: entry.variant, entries: [entry] });
  }
  return groups;
}

/** A branch for each job that used it or saved what came from it, the oldest first. */
export function branchesOf(children, uses) {
  const branches = new Map(uses.map((use) => [use.job_id, { key: use.job_id, job_id: use.job_id, use, entries: [] }]));
  for (const child of children) {
    const known = branches.get(child.job_id);
    if (known) known.entries.push(child);
    else branches.set(child.job_id, { key: child.job_id, job_id: child.job_id, use: null, entries: [child] });
  }
  return [...branches.values()];
}

/** Where the oldest of them comes from, in a sentence; `job` made the checkpoint itself, if it is known. */
export function originOf(lineage, job) {
  const { checkpoint, ancestors, complete, spec } = lineage;
  if (!complete) return "Older ones are not in the index any more";
  const oldest = ancestors.at(-1) ?? checkpoint;
  if (oldest.job_id !== checkpoint.job_id) return "New weights, or a file";
  if (spec?.kind === "import") return `Imported from ${spec.request?.file ?? "a file"}`;
  if (spec?.init_from?.file) return `Began with the weights of ${spec.init_from.file}`;
  if (!spec) return "Its job has been deleted";
  if (spec.kind === "search") return "A path of a supernet, with the weights that it has there";
  if (isFound(job)) return "Began with new weights, as a path that a search has found";
  return job?.parent_job_id ? "Began with new weights, as the retry of another job" : "Began with new weights";
}

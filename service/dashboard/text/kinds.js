// What the pages show of each kind of job.

const PLAIN = { charts: false, checkpoints: true, figures: "none" };

const KINDS = new Map(Object.entries({
  train: { charts: true, checkpoints: true, figures: "metrics" },
  eval: { charts: false, checkpoints: false, figures: "result" },
  check_data: { charts: false, checkpoints: false, figures: "none" },
  export: { charts: false, checkpoints: false, figures: "none" },
  search: { charts: false, checkpoints: true, figures: "none" },
}));

/** Whether its page has charts and checkpoints, and which figures: metrics, result or none. */
export const viewOf = (job) => KINDS.get(job.kind) ?? PLAIN;

/** What its progress counts, in the plural; null for steps. */
export const progressNoun = (job) => (job.kind === "search" ? "candidates" : null);

/** The kind beside a recipe in a list, where most jobs are trainings. */
export const kindNote = (job) => (job.kind === "train" ? null : job.kind);

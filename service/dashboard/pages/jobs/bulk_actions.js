// What is done with many jobs at once: what it is called, what it asks, what it says.

/**
 * @typedef {object} BulkAction
 * @property {string} name As `POST /jobs/bulk` has it.
 * @property {string} label
 * @property {(jobs: string) => string} question
 * @property {string} verb Of the button that does it.
 * @property {string} [consequence]
 * @property {boolean} [isDangerous]
 * @property {{field: string, label: string, choices: [string, string][]}} [choice] What the user chooses; the first is the default.
 * @property {string} done As in "12 jobs are being cancelled".
 */

/** @type {BulkAction[]} */
export const BULK_ACTIONS = [
  {
    name: "cancel",
    label: "Cancel",
    question: (jobs) => `Cancel ${jobs}?`,
    verb: "Cancel the jobs",
    consequence: "A cancelled job stays cancelled; a new one can start from its checkpoint.",
    isDangerous: true,
    choice: {
      field: "mode",
      label: "How",
      choices: [
        ["graceful", "Finish the step and save a checkpoint"],
        ["now", "Stop at once, without a checkpoint"],
      ],
    },
    done: "cancelled",
  },
  { name: "pause", label: "Pause", question: (jobs) => `Pause ${jobs}?`, verb: "Pause the jobs", consequence: "Each saves a checkpoint and frees its worker.", done: "paused" },
  { name: "resume", label: "Resume", question: (jobs) => `Resume ${jobs}?`, verb: "Resume the jobs", consequence: "Each goes back to the queue.", done: "resumed" },
  {
    name: "retry",
    label: "Retry",
    question: (jobs) => `Retry ${jobs}?`,
    verb: "Retry the jobs",
    consequence: "Each becomes a new job.",
    choice: {
      field: "from",
      label: "From",
      choices: [
        ["latest", "The latest training state"],
        ["start", "The start"],
      ],
    },
    done: "submitted again",
  },
  { name: "label", label: "Label", question: (jobs) => `Label ${jobs}`, verb: "Set the label", consequence: "A key without a value, as in \"team:\", removes the label.", done: "changed" },
  { name: "priority", label: "Priority", question: (jobs) => `Change the priority of ${jobs}`, verb: "Change the priority", consequence: "Jobs of a higher priority start first.", done: "changed" },
  {
    name: "delete",
    label: "Delete",
    question: (jobs) => `Delete ${jobs}?`,
    verb: "Delete the jobs",
    consequence: "Their history, logs and checkpoints are removed for good, except checkpoints that are pinned. Only jobs that have ended are deleted.",
    isDangerous: true,
    done: "deleted",
  },
];

/** A label from what a user typed, "key: value", or "key:" to remove it; throws with what to change. */
export function labelFrom(text) {
  const [, key, value] = /^\s*([^:=\s]+)\s*[:=]\s*(.*?)\s*$/.exec(text) ?? [];
  if (!key) throw new Error('A label is "key: value", as in "team: vision"; "team:" removes it.');
  return { [key]: value || null };
}

/** A priority from what a user typed; throws with what to change. */
export function priorityFrom(text) {
  const priority = Number(text);
  if (!/^\s*[+-]?\d+\s*$/.test(text) || Math.abs(priority) > 1_000) {
    throw new Error("A priority is a whole number from -1000 to 1000.");
  }
  return priority;
}

/**
 * The refusals of a request by their reasons, the most frequent first.
 * @param {import("../../api/bulk.js").BulkResult[]} results
 */
export function refusalsOf(results) {
  const reasons = new Map();
  for (const { id, ok, problem } of results) {
    if (ok) continue;
    const reason = problem?.detail || "refused";
    // Sentences that differ in the job's id alone are the same reason.
    const shown = reason.replaceAll(id, "the job");
    reasons.set(shown, [...(reasons.get(shown) ?? []), id]);
  }
  return [...reasons].map(([reason, ids]) => ({ reason, ids })).sort((one, other) => other.ids.length - one.ids.length);
}

// The states of jobs, attempts, workers and sweeps: their colours, and which job states are final.

const STATE_TONES = new Map(Object.entries({
  queued: "waiting",
  claimed: "waiting",
  paused: "waiting",
  running: "active",
  pausing: "active",
  cancelling: "active",
  succeeded: "good",
  failed: "bad",
  lost: "bad",
  unreachable: "warn",
  quarantined: "warn",
  damaged: "bad",
  live: "active",
  finished: "good",
  refused: "bad",
}));

/** The tone of a state; an unknown one, of a newer server, is quiet. */
export const toneOf = (state) => STATE_TONES.get(state) ?? "quiet";

const ENDED = new Set(["succeeded", "failed", "cancelled"]);

export const isEnded = (job) => ENDED.has(job.state);

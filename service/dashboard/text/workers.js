// Workers in words and tones.

import { count } from "./format.js";

const TONES = new Map([
  ["quarantined", "warn"],
  ["unreachable", "warn"],
  ["lost", "bad"],
  ["gone", "quiet"],
  ["draining", "waiting"],
]);

/** The tone of a worker; one that is online is active while it has jobs. */
export const workerTone = ({ state, jobs }) => TONES.get(state) ?? (jobs?.length ? "active" : "good");

/** All workers but those that have ended, in one line: "31 workers · 28 busy · 2 quarantined". */
export function workersSummary(workers) {
  const present = workers.filter(({ state }) => state !== "gone");
  if (!present.length) return "no workers";
  const busy = present.filter(({ jobs }) => jobs?.length).length;
  const others = new Map();
  for (const { state } of present) if (state !== "active") others.set(state, (others.get(state) ?? 0) + 1);
  return [
    `${count(present.length)} ${present.length === 1 ? "worker" : "workers"}`,
    busy ? `${count(busy)} busy` : "all idle",
    ...[...others].map(([state, many]) => `${count(many)} ${state}`),
  ].join(" · ");
}

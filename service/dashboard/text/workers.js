// Workers in words and tones.

import { count, memory } from "./format.js";

const TONES = new Map([
  ["quarantined", "warn"],
  ["unreachable", "warn"],
  ["lost", "bad"],
  ["gone", "quiet"],
  ["draining", "waiting"],
]);

/** The tone of a worker; one that is online is active while it has jobs, and a warning without one sound GPU. */
export const workerTone = ({ state, jobs, gpus }) =>
  TONES.get(state) ?? (jobs?.length ? "active" : gpus?.length && gpus.every(({ problem }) => problem) ? "warn" : "good");

/** Which GPUs no job is given, and why; empty if all can be used. */
export const unusableGpusText = (gpus) =>
  (gpus ?? [])
    .filter(({ problem }) => problem)
    .map(({ index, problem }) => `GPU ${index} is not given out: ${problem}`)
    .join("; ");

/** What a worker does: its state, or whether it is busy if it claims jobs. */
export const activityOf = ({ state, jobs }) => (state !== "active" ? state : jobs?.length ? "busy" : "idle");

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

/** The devices of a worker: "8 × NVIDIA H100 80 GiB". */
export function devicesText(gpus) {
  if (!gpus?.length) return "CPU";
  const kinds = new Map();
  for (const gpu of gpus) {
    // Of a cluster's GPU the memory is not known.
    const kind = gpu.memory_bytes ? `${gpu.name} ${memory(gpu.memory_bytes)}` : gpu.name;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, many]) => (many > 1 ? `${many} × ${kind}` : kind)).join(", ");
}

/** The label texts of a worker, in the order of their names. */
export const labelTexts = (labels) =>
  Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort();

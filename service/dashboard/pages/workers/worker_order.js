// Which workers are shown, and in which order: all of it is a part of the address.

import { gpuUses, hostUse, meanOf } from "../../text/use.js";
import { activityOf, devicesText, labelTexts, unusableGpusText } from "../../text/workers.js";

/** What workers may be filtered by, in the order in which it is offered. */
const ACTIVITIES = ["busy", "idle", "draining", "quarantined", "unreachable"];

/** How many workers there are of each activity; those of a newer server come last. */
export function activityCounts(workers) {
  const counts = new Map(ACTIVITIES.map((activity) => [activity, 0]));
  for (const worker of workers) counts.set(activityOf(worker), (counts.get(activityOf(worker)) ?? 0) + 1);
  return [...counts].map(([activity, many]) => ({ activity, many }));
}

/** The workers of an activity (all without one) that have every word of a text. */
export function chosenWorkers(workers, activity, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return workers.filter(
    (worker) => (!activity || activityOf(worker) === activity) && words.every((word) => textOf(worker).includes(word)),
  );
}

function textOf(worker) {
  const jobs = (worker.jobs ?? []).flatMap((id) => [id, worker.job_names?.[id] ?? ""]);
  const parts = [worker.host, worker.id, worker.version ?? "", worker.message ?? "", devicesText(worker.gpus), unusableGpusText(worker.gpus)];
  return [...parts, activityOf(worker), ...labelTexts(worker.labels), ...jobs].join("\n").toLowerCase();
}

/** By the name of an order what it compares: texts rise, numbers fall, what is not known is last. */
const KEYS = {
  host: ({ host }) => host,
  state: (worker) => activityOf(worker),
  jobs: ({ jobs }) => jobs?.length ?? 0,
  gpu: (worker) => meanOf(gpuUses(worker).map(({ use }) => use)),
  cpu: ({ sample }) => hostUse(sample).cpu,
  memory: ({ sample }) => hostUse(sample).memory,
  disk: ({ sample }) => hostUse(sample).disk,
  seen: ({ last_seen_at: at }) => Date.parse(at),
};

/**
 * The workers in an order: "cpu" begins with the most used, "-cpu" with the least. Equal ones, and all
 * with an order that is not known, are in the order of their hosts.
 */
export function orderedWorkers(workers, order) {
  const name = order.replace(/^-/, "");
  const key = Object.hasOwn(KEYS, name) ? KEYS[name] : KEYS.host;
  const sign = order.startsWith("-") ? -1 : 1;
  return [...workers].sort(
    (one, other) => compared(key(one), key(other), sign) || byText(one.host, other.host) || byText(one.id, other.id),
  );
}

function compared(one, other, sign) {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return sign * (typeof one === "string" ? byText(one, other) : other - one);
}

/** "gpu-2" is before "gpu-10". */
const byText = new Intl.Collator("en", { numeric: true }).compare;

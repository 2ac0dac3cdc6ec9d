// The use of a host and of its GPUs in numbers and words, from a worker's last sample.

import { NONE } from "./format.js";

const isKnown = (value) => typeof value === "number" && Number.isFinite(value);

/** A part as a whole percentage, rounded: "93 %". */
export const share = (part) => (isKnown(part) ? `${Math.round(part * 100)} %` : NONE);

export const celsius = (value) => (isKnown(value) ? `${Math.round(value)} °C` : NONE);

export const watts = (value) => (isKnown(value) ? `${Math.round(value)} W` : NONE);

/** The part of `total` that is used; null if one of them is not known. */
export const partOf = (used, total) => (isKnown(used) && isKnown(total) && total > 0 ? used / total : null);

/** The mean of the values that are known; null without any. */
export function meanOf(values) {
  const known = values.filter(isKnown);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

/** The host's use as parts from 0 to 1; null for what is not known. */
export function hostUse(sample) {
  return {
    cpu: isKnown(sample?.cpu_use) ? sample.cpu_use : null,
    memory: partOf(sample?.memory_used_bytes, sample?.memory_total_bytes),
    disk: partOf(sample?.disk_used_bytes, sample?.disk_total_bytes),
  };
}

/** A worker's GPUs in the order of their indices, each with its use as far as it is known. */
export function gpuUses({ gpus, sample }) {
  const samples = new Map((sample?.gpus ?? []).map((each) => [each.index, each]));
  return (gpus ?? []).map((gpu) => {
    const measured = samples.get(gpu.index);
    return {
      index: gpu.index,
      name: gpu.name,
      problem: gpu.problem ?? null,
      use: measured?.use ?? null,
      memoryUse: partOf(measured?.memory_used_bytes, measured?.memory_total_bytes),
      usedBytes: measured?.memory_used_bytes ?? null,
      totalBytes: measured?.memory_total_bytes ?? gpu.memory_bytes,
      temperature: measured?.temperature_celsius ?? null,
      power: measured?.power_watts ?? null,
      jobId: measured?.job_id ?? null,
    };
  });
}

const FULL = 0.95;
const NEARLY_FULL = 0.85;

/** A disk or a memory that fills up is a warning; one that computes is at work. */
export const fullnessTone = (part) => (part >= FULL ? "bad" : part >= NEARLY_FULL ? "warn" : "quiet");

const HOT_CELSIUS = 88;
const WARM_CELSIUS = 80;

export const temperatureTone = (value) => (value >= HOT_CELSIUS ? "bad" : value >= WARM_CELSIUS ? "warn" : "quiet");

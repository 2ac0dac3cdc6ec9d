// How many GPUs a job needs: a number, or a range of which a claim takes as many as are free.

import { isMap } from "./changes.js";

/** As the command line has it: "4", "2:8"; what is neither, as it is. */
export function gpusText(gpus) {
  if (gpus === undefined || gpus === null) return "";
  return isMap(gpus) ? `${gpus.min}:${gpus.max}` : String(gpus);
}

/** What a text stands for; one that is neither a number nor a range is sent as it is. */
export function parsedGpus(text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const range = /^(\d+)\s*:\s*(\d+)$/.exec(trimmed);
  if (range) return { min: Number(range[1]), max: Number(range[2]) };
  return /^[-+]?\d+$/.test(trimmed) ? Number(trimmed) : trimmed;
}

/** How many it needs at least. */
export const leastGpus = (gpus) => (isMap(gpus) ? gpus.min : gpus);

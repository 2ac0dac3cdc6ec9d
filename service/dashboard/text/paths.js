// Paths through a supernet in words: which of its choices stands at each place.

/** What a choice is called in a cell, and in full, by its digit. */
const CHOICES = [
  { mark: "3", title: "kernel 3" },
  { mark: "5", title: "kernel 5" },
  { mark: "7", title: "kernel 7" },
  { mark: "x", title: "xception" },
];

/** The choices that a place of a searched network may have. */
export const choicesOf = (many) => Array.from({ length: many }, (_, digit) => ({ digit, ...choiceOf(digit) }));

/** @param {number | string} digit One that this version does not know is called by itself. */
export const choiceOf = (digit) => CHOICES[digit] ?? { mark: String(digit), title: `choice ${digit}` };

/** The units of each stage of a recipe whose architectures can be searched; none for another. */
export const stagesOf = (recipe) => (recipe?.search_space?.stages ?? []).map(([, units]) => units);

/**
 * Values of places by their stages, in order; what is beyond the known stages is a last one.
 * @template T
 * @param {ArrayLike<T>} values One for each place.
 * @param {number[]} stages The units of each.
 * @returns {{first: number, values: T[]}[]} `first` is the number of the first place, from 1.
 */
export function byStages(values, stages) {
  const places = Array.from(values);
  const parts = [];
  let first = 0;
  for (const units of [...stages, places.length]) {
    if (first >= places.length) break;
    parts.push({ first: first + 1, values: places.slice(first, first + units) });
    first += units;
  }
  return parts;
}

/** The marks of a path, with a gap between stages: "3573 x553". */
export const marksOf = (blocks, stages) =>
  byStages(blocks ?? "", stages)
    .map(({ values }) => values.map((digit) => choiceOf(digit).mark).join(""))
    .join(" ");

/** The variant by which a job names a path as a network of its own. */
export const variantOf = (blocks) => `b${blocks}`;

const VARIANT = /^b([0-9]+)(?:-c([0-9]+))?$/;

/**
 * The digits of a variant that is an architecture, as a text or as an object; null for a name.
 * @returns {{blocks: string, channels?: string} | null}
 */
export function digitsOf(variant) {
  if (variant && typeof variant === "object") return "blocks" in variant ? variant : null;
  const found = VARIANT.exec(variant ?? "");
  if (!found) return null;
  return found[2] === undefined ? { blocks: found[1] } : { blocks: found[1], channels: found[2] };
}

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

/** @typedef {{blocks: string, channels?: string, space?: string}} Digits An architecture as a submission names it. */

/**
 * The spaces of which a recipe takes any architecture.
 * @returns {import("../api/types").SearchSpace[]}
 */
export const spacesOf = (recipe) => [recipe?.search_space, ...(recipe?.search_spaces ?? [])].filter(Boolean);

/** The units of each stage of a space; none without one. */
export const stagesOf = (space) => (space?.stages ?? []).map(([, units]) => units);

export const placesOf = (space) => stagesOf(space).reduce((sum, units) => sum + units, 0);

/**
 * The space that digits are of: the one that is named, or that has as many places; else the first.
 * @param {import("../api/types").SearchSpace[]} spaces
 * @param {Digits} digits
 */
export function spaceOf(spaces, { blocks, space: name }) {
  if (name) return spaces.find((each) => each.name === name);
  const plain = spaces.filter((each) => !each.only_by_name);
  return plain.find((each) => placesOf(each) === blocks.length) ?? plain[0] ?? spaces[0];
}

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

const VARIANT = /^(?:([A-Za-z0-9.]+)-)?b([0-9]+)(?:-c([0-9]+))?$/;

/**
 * The digits of a variant that is an architecture, as a text or as an object; null for a name.
 * @returns {Digits | null}
 */
export function digitsOf(variant) {
  if (variant && typeof variant === "object") return "blocks" in variant ? variant : null;
  const found = VARIANT.exec(variant ?? "");
  if (!found) return null;
  const [, space, blocks, channels] = found;
  return { blocks, ...(channels && { channels }), ...(space && { space }) };
}

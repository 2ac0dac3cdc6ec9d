// The range of an axis of values.

const LOW = 0.05;
const HIGH = 0.95;
const FEWEST = 5;
/** Extremes so many times as far apart as the middle nine tenths flatten them; a fall at the start does not. */
const FLATTENED = 4;

/**
 * Limits around the middle nine tenths of the values, as much again on either side, and never wider
 * than the values: one outlier flattens no line. Null if none does, or there are too few to tell.
 * @param {number[]} values Finite ones.
 * @returns {[number, number] | null}
 */
export function robustRange(values) {
  if (values.length < FEWEST) return null;
  const sorted = [...values].sort((one, other) => one - other);
  const low = sorted[Math.ceil(LOW * (sorted.length - 1))];
  const high = sorted[Math.floor(HIGH * (sorted.length - 1))];
  if (low >= high) return null;
  const margin = high - low;
  if (sorted.at(-1) - sorted[0] <= FLATTENED * margin) return null;
  return [Math.max(sorted[0], low - margin), Math.min(sorted.at(-1), high + margin)];
}

/**
 * The limits of the y axis; `isLog` leaves out what a logarithm has no value for.
 * @param {number[]} values Finite ones.
 * @returns {[number, number]}
 */
export function valueRange(values, { isLog, isClipped }) {
  const scaled = isLog ? values.filter((value) => value > 0).map(Math.log10) : values;
  if (!scaled.length) return isLog ? [0.1, 1] : [0, 1];
  const [low, high] = (isClipped && robustRange(scaled)) || extremes(scaled);
  const margin = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.5;
  const [from, to] = [low - margin, high + margin];
  // An axis of values that are never negative does not begin below zero.
  return isLog ? [10 ** from, 10 ** to] : [low >= 0 && from < 0 ? 0 : from, to];
}

/** Math.min and Math.max take their values as arguments, of which there is a limit. */
function extremes(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

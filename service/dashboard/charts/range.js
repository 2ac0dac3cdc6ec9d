// The range of an axis of values.

const FEWEST = 5;
/**
 * Extremes that are so many `times` as far apart as the values between two quantiles flatten these: the
 * range ends where they are, and `beyond` times as much on either side. Wild values among few are more
 * than a twentieth of them, which the quartiles leave out; a fall at the start is neither.
 */
const FENCES = [
  { low: 0.05, high: 0.95, times: 4, beyond: 1 },
  { low: 0.25, high: 0.75, times: 30, beyond: 3 },
];

/**
 * Limits that no outlier flattens, and never wider than the values. Null if there is none, or too few
 * values to tell.
 * @param {number[]} values Finite ones.
 * @returns {[number, number] | null}
 */
export function robustRange(values) {
  if (values.length < FEWEST) return null;
  const sorted = [...values].sort((one, other) => one - other);
  const last = sorted.length - 1;
  /** @type {[number, number] | null} */
  let range = null;
  for (const fence of FENCES) {
    const [from, to] = range ?? [sorted[0], sorted[last]];
    const [low, high] = [sorted[Math.ceil(fence.low * last)], sorted[Math.floor(fence.high * last)]];
    const spread = high - low;
    if (spread <= 0 || to - from <= fence.times * spread) continue;
    range = [Math.max(from, low - fence.beyond * spread), Math.min(to, high + fence.beyond * spread)];
  }
  return range;
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

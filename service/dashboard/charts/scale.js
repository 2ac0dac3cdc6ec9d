// Linear scales of drawings, and where their axes have ticks.

/**
 * @typedef {object} Scale
 * @property {(value: number) => number} at Where a value is; what is beyond the ends is at the nearer one.
 * @property {number[]} ticks Round values between the ends.
 * @property {(value: number) => boolean} isBeyond
 */

/**
 * @param {[number, number]} ends The values at the two ends; equal ones are in the middle.
 * @param {[number, number]} range Where the ends are.
 * @param {number} many About so many ticks.
 * @returns {Scale}
 */
export function scaleOf([low, high], [from, to], many) {
  const span = high - low;
  const partOf = (value) => (span > 0 ? Math.min(Math.max((value - low) / span, 0), 1) : 0.5);
  return {
    at: (value) => from + partOf(value) * (to - from),
    ticks: span > 0 ? ticksOf(low, high, many) : [low],
    isBeyond: (value) => value < low || value > high,
  };
}

function ticksOf(low, high, many) {
  const step = roundStep((high - low) / Math.max(many, 1));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** The least of 1, 2 and 5 times a power of ten that is not below a step. */
function roundStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 5, 10].find((each) => each * power >= step * (1 - 1e-9));
}

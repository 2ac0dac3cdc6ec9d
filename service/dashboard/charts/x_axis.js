// The x axes of the charts of a run: its steps, its epochs, or the time since it began.

import { count, duration } from "../text/format.js";

/**
 * @typedef {object} RunAxis
 * @property {string} name What is along the axis.
 * @property {(x: number) => string} format
 * @property {number[]} [increments] The distances that ticks may have.
 * @property {(step: number) => number} ofStep
 * @property {(seconds: number) => number | null} ofTime Where a moment, in seconds since 1970, is; null if no step has a time.
 */

const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400];
const INCREMENTS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((many) => many * MINUTE),
  ...[1, 2, 3, 6, 12].map((many) => many * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((many) => many * DAY),
];
const epoch = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** The axes by their names: those that are not known for a run are null. */
export function axesOf({ times = [], stepsPerEpoch = null }) {
  const clock = new StepClock(times);
  return {
    step: steps(clock),
    epoch: stepsPerEpoch ? epochs(clock, stepsPerEpoch) : null,
    time: clock.begin === null ? null : seconds(clock),
  };
}

/** @returns {RunAxis} */
function steps(clock) {
  return { name: "step", format: (step) => count(Math.round(step)), ofStep: (step) => step, ofTime: (at) => clock.stepAt(at) };
}

/** @returns {RunAxis} */
function epochs(clock, stepsPerEpoch) {
  const ofStep = (step) => step / stepsPerEpoch;
  const ofTime = (at) => (clock.begin === null ? null : ofStep(clock.stepAt(at)));
  return { name: "epoch", format: (x) => epoch.format(x), ofStep, ofTime };
}

/** @returns {RunAxis} */
function seconds(clock) {
  return {
    name: "time",
    format: duration,
    increments: INCREMENTS,
    ofStep: (step) => clock.timeOf(step) - clock.begin,
    ofTime: (at) => at - clock.begin,
  };
}

/** Which step a run was at, and when: between two known moments its steps are equally long. */
class StepClock {
  #bySteps;
  #byTimes;

  /** @param {[number, number][]} times Of steps the seconds since 1970. */
  constructor(times) {
    this.#bySteps = times;
    // Steps that are trained again have later times than those that follow them.
    this.#byTimes = times.map(([step, at]) => [at, step]).sort(([one], [other]) => one - other);
  }

  /** The first moment; null if none is known. */
  get begin() {
    return this.#byTimes[0]?.[0] ?? null;
  }

  timeOf(step) {
    return between(this.#bySteps, step);
  }

  stepAt(at) {
    return between(this.#byTimes, at);
  }
}

/** The y at an x between [x, y] pairs with rising x; beyond them that of the nearest. Null without any. */
function between(pairs, x) {
  if (!pairs.length) return null;
  let [low, high] = [0, pairs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pairs[middle][0] < x) low = middle + 1;
    else high = middle;
  }
  if (low === 0 || low === pairs.length) return pairs[Math.min(low, pairs.length - 1)][1];
  const [[fromX, fromY], [toX, toY]] = [pairs[low - 1], pairs[low]];
  return fromY + ((toY - fromY) * (x - fromX)) / (toX - fromX);
}

/**
 * Points whose x are steps or moments on another axis, in the order of its x; of those at one x the
 * last is kept.
 * @param {[number, number | null][]} points
 * @param {(x: number) => number | null} place
 * @returns {[number, number | null][]}
 */
export function placed(points, place) {
  const onAxis = new Map();
  for (const [x, y] of points) {
    const at = place(x);
    if (at !== null) onAxis.set(at, y);
  }
  return [...onAxis].sort(([one], [other]) => one - other);
}

/**
 * From the first x of all lines of charts to the last, so that they are below each other; null without any.
 * @param {{lines: {points: [number, number | null][]}[]}[]} charts
 * @returns {[number, number] | null}
 */
export function extentOf(charts) {
  const ends = charts.flatMap(({ lines }) => lines.flatMap(({ points }) => (points.length ? [points[0][0], points.at(-1)[0]] : [])));
  if (!ends.length) return null;
  const [from, to] = [Math.min(...ends), Math.max(...ends)];
  return [from, to > from ? to : from + 1];
}

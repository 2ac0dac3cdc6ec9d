// The axes of parallel coordinates of trials, and where a value is on each.

import { namedMetric, shortNumber } from "../../text/format.js";
import { metricOf, valueText, valueTitle } from "../../text/sweeps.js";
import { shownName } from "../../text/user_text.js";

const MOST_TICKS = 10;

/**
 * @typedef {object} Axis
 * @property {string} name
 * @property {string} title
 * @property {(trial: import("../../api/types").Trial) => number | null} partOf From 0, below, to 1; null without a value.
 * @property {{part: number, text: string}[]} ticks
 */

/**
 * One axis for each parameter, and the last one for the value; none before a trial has begun.
 * @param {import("../../api/types").Sweep} sweep
 * @param {import("../../api/types").Trial[]} trials
 * @returns {Axis[]}
 */
export function axesOf(sweep, trials) {
  if (!trials.length) return [];
  /** @type {any} */
  const spec = sweep.spec;
  const domains = new Map(Object.entries(spec?.parameters ?? {}));
  const names = new Set([...domains.keys(), ...trials.flatMap(({ parameters }) => Object.keys(parameters))]);
  return [...[...names].map((name) => parameterAxis(name, domains.get(name), trials)), valueAxis(sweep, trials)];
}

/** @returns {Axis} */
function parameterAxis(name, domain, trials) {
  /** @param {import("../../api/types").Trial} trial */
  const valueOf = ({ parameters }) => (Object.hasOwn(parameters, name) ? parameters[name] : undefined);
  const axis = { name: `parameter ${name}`, title: shownName(name) };
  if (Number.isFinite(domain?.low) && Number.isFinite(domain?.high)) {
    const partOf = scaleOf(domain.low, domain.high, domain.log);
    const ticks = [domain.low, domain.high].map((each) => ({ part: partOf(each), text: shortNumber(each) }));
    return { ...axis, partOf: (trial) => partOf(valueOf(trial)), ticks };
  }
  return { ...axis, ...ofChoices(domain?.values ?? trials.map(valueOf), valueOf) };
}

/** Places for values that are chosen from, at equal distances; numbers are in their order. */
function ofChoices(values, valueOf) {
  // Of JSON: 1 and "1" and true are three values.
  const keys = new Map(values.filter((each) => each !== undefined).map((each) => [JSON.stringify(each), each]));
  const entries = [...keys];
  if (entries.every(([, each]) => typeof each === "number")) entries.sort(([, one], [, other]) => one - other);
  const parts = new Map(entries.map(([key], index) => [key, entries.length > 1 ? index / (entries.length - 1) : 0.5]));
  const every = Math.ceil(entries.length / MOST_TICKS);
  const ticks = entries.filter((_, index) => index % every === 0).map(([key, each]) => ({ part: parts.get(key), text: valueText(each) }));
  return { partOf: (trial) => parts.get(JSON.stringify(valueOf(trial))) ?? null, ticks };
}

/** @returns {Axis} */
function valueAxis(sweep, trials) {
  const name = metricOf(sweep);
  const measured = trials.map(({ value }) => value).filter(Number.isFinite);
  const [low, high] = [Math.min(...measured), Math.max(...measured)];
  const partOf = scaleOf(low, high, false);
  const ends = low === high ? [low] : [low, high];
  const ticks = measured.length ? ends.map((each) => ({ part: partOf(each), text: namedMetric(name, each) })) : [];
  return { name: "value", title: valueTitle(sweep), partOf: (trial) => partOf(trial.value), ticks };
}

/** Where a number is between two others; equal ones are in the middle. What is beyond is at the end. */
function scaleOf(low, high, isLog) {
  const scaled = (each) => (isLog ? Math.log(each) : each);
  return (value) => {
    if (!Number.isFinite(value)) return null;
    if (low === high) return 0.5;
    return Math.min(Math.max((scaled(value) - scaled(low)) / (scaled(high) - scaled(low)), 0), 1);
  };
}

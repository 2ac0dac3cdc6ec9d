// Sweeps and their trials in words.

import { count, counted, metricTitle, NONE, shortNumber } from "./format.js";
import { isBlank, shownName, visible } from "./user_text.js";

/** The sweep's name, or its id if it has no visible one. */
export const sweepTitle = ({ name, id }) => (isBlank(name) ? id : visible(name));

/** How many trials have ended. */
export function doneOf({ trials }) {
  const { live = 0, ...ended } = trials ?? {};
  return Object.values(ended).reduce((sum, each) => sum + each, 0);
}

/** How far it is, from 0 to 1; one that its budget or a user ended is not at 1. */
export const fractionOf = (sweep) => (sweep.trial_count > 0 ? doneOf(sweep) / sweep.trial_count : 0);

const METHODS = new Map([
  ["grid", "grid"],
  ["random", "random"],
  ["asha", "successive halving"],
]);

/** The method; that of another version by its own name. */
export const methodOf = ({ spec }) => METHODS.get(spec?.method?.kind) ?? shownName(spec?.method?.kind ?? NONE);

/** What is measured, and what of it is better: "Top-1 error, lower is better". */
export function objectiveText({ spec }) {
  const metric = spec?.objective?.metric;
  if (!metric) return NONE;
  return `${metricTitle(metric)}, ${spec.objective.goal === "maximize" ? "higher" : "lower"} is better`;
}

/** The metric that its trials are judged by; "" for a sweep that this version cannot read. */
export const metricOf = ({ spec }) => spec?.objective?.metric ?? "";

/** What the values of its trials are called. */
export const valueTitle = (sweep) => (metricOf(sweep) ? metricTitle(metricOf(sweep)) : "Value");

/** A value of a parameter: a text as it is, and a number without the digits that a binary fraction adds. */
export function valueText(value) {
  if (typeof value === "number") return shortNumber(value);
  return typeof value === "string" ? shownName(value) : JSON.stringify(value) ?? NONE;
}

/** The parameters of a trial in one line: "learning_rate 0.1, depth 20". */
export const parametersText = (parameters) =>
  Object.entries(parameters ?? {})
    .map(([name, value]) => `${shownName(name)} ${valueText(value)}`)
    .join(", ");

/** "3 of 9 trials". */
export const doneText = (sweep) => `${count(doneOf(sweep))} of ${counted(sweep.trial_count, "trial", "trials")}`;

// Candidates of a search in words.

import { count, errorRate, metric, metricTitle, NONE, validationTitle } from "./format.js";

/** @typedef {import("../api/types").Candidate} Candidate */

/** By which a search that is judged by a loss or by an error orders its candidates; lower is better. */
const METRICS = new Map([
  ["loss", "loss"],
  ["error", "top1_error"],
]);

/** @param {string} fitness @returns {"loss" | "top1_error"} */
const metricOf = (fitness) => /** @type {any} */ (METRICS.get(fitness) ?? "top1_error");

/**
 * The error or the loss of a candidate; null for a loss that is not finite.
 * @param {Candidate} candidate
 * @param {string} fitness
 * @returns {number | null}
 */
export const valueOf = (candidate, fitness) => candidate[metricOf(fitness)] ?? null;

export const fitnessTitle = (fitness) => (fitness === "loss" ? validationTitle("loss") : metricTitle("top1_error"));

/** @param {string} fitness */
export const formatOf = (fitness) => (fitness === "loss" ? metric : errorRate);

/** A value of the fitness; a loss that is not finite is told as such. */
export const fitnessText = (candidate, fitness) => {
  const value = valueOf(candidate, fitness);
  return value === null ? "not finite" : formatOf(fitness)(value);
};

/** Multiply-adds in millions, with so many digits. */
export const millions = (value, digits = 4) => (Number.isFinite(value) ? `${Number((value / 1e6).toPrecision(digits)).toLocaleString("en")} M` : NONE);

const ORIGINS = new Map([
  ["random", "drawn"],
  ["mutation", "mutation"],
  ["crossover", "crossover"],
  ["given", "given"],
]);

/** How it came to be; that of a newer version by its own name. */
export const originText = ({ origin }) => ORIGINS.get(origin) ?? origin;

/** "generation 3"; those that a user gave have none. */
export const generationText = ({ generation }) => (generation > 0 ? `generation ${count(generation)}` : "given");

// In which order the candidates of a search are shown, and which page of them; both are in the address.

import { valueOf } from "../../text/candidates.js";

/** @typedef {import("../../api/types").Candidate} Candidate */

export const PAGE = 25;

/**
 * The values that a head of the table sorts by: the first, and for equal ones the next.
 * @type {Record<string, (candidate: Candidate, fitness: string) => (number | null)[]>}
 */
const VALUES = {
  fitness: (each, fitness) => [valueOf(each, fitness), fitness === "loss" ? 0 : each.top5_error],
  order: ({ order }) => [order],
  multiply_adds: ({ multiply_adds: cost }) => [cost],
};
export const DEFAULT_ORDER = "fitness";

/** `{key, isFalling}` of an address's query; the best first without one, or for one that is not known. */
export function orderOf(query) {
  const asked = query.get("sort") ?? "";
  const key = asked.replace(/^-/, "");
  return Object.hasOwn(VALUES, key) ? { key, isFalling: asked.startsWith("-") } : { key: DEFAULT_ORDER, isFalling: false };
}

/**
 * The candidates in an order; equal ones as the search asked for them, and those without a value last.
 * @param {Candidate[]} candidates
 * @param {{key: string, isFalling: boolean}} order
 * @param {string} fitness
 */
export function ordered(candidates, { key, isFalling }, fitness) {
  const rows = candidates.map((candidate) => ({ candidate, values: [...VALUES[key](candidate, fitness), candidate.order] }));
  const sign = isFalling ? -1 : 1;
  const byValues = (one, other) => {
    if ((one[0] === null) !== (other[0] === null)) return one[0] === null ? 1 : -1;
    const at = one.findIndex((value, index) => value !== other[index]);
    if (at < 0) return 0;
    return (at === one.length - 1 && one.length > 1 ? 1 : sign) * (one[at] - other[at]);
  };
  return rows.sort((one, other) => byValues(one.values, other.values)).map(({ candidate }) => candidate);
}

/**
 * The page that an address asks for, from 1, of so many candidates; the last one for one beyond it.
 * @param {URLSearchParams} query
 */
export function pageOf(query, total) {
  const pages = Math.max(Math.ceil(total / PAGE), 1);
  const asked = Number(query.get("page") ?? 1);
  return { page: Number.isInteger(asked) ? Math.min(Math.max(asked, 1), pages) : 1, pages };
}

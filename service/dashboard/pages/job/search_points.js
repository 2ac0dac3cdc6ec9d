// What the drawing of a search's candidates computes: its scales, the points, the one that is nearest.

import { valueRange } from "../../charts/range.js";
import { scaleOf } from "../../charts/scale.js";
import { valueOf } from "../../text/candidates.js";

/** @typedef {import("../../api/types").Candidate} Candidate */

const PIXELS_A_TICK = { x: 84, y: 45 };
const NEAR = 22;

/** Those that have a place in the drawing: a loss may not be finite. */
export const measuredOf = (candidates, fitness) => candidates.filter((each) => valueOf(each, fitness) !== null);

/**
 * The scales of multiply-adds and of the fitness. The limit is in sight; the best is, and of wild values
 * the least are at the upper edge, so that they flatten no others.
 * @param {Candidate[]} measured At least one.
 * @param {{fitness: string, limit: number | null, box: {left: number, right: number, top: number, bottom: number}}} about
 */
export function scalesOf(measured, { fitness, limit, box }) {
  const costs = ends([...measured.map((each) => each.multiply_adds), ...(limit === null ? [] : [limit])]);
  const margin = (costs[1] - costs[0]) * 0.04 || costs[0] * 0.01;
  const values = measured.map((each) => valueOf(each, fitness));
  const [low, high] = valueRange(values, { isLog: false, isClipped: true });
  const [least] = ends(values);
  return {
    x: scaleOf([costs[0] - margin, costs[1] + margin], [box.left, box.right], (box.right - box.left) / PIXELS_A_TICK.x),
    y: scaleOf([Math.min(low, least), high], [box.bottom, box.top], (box.bottom - box.top) / PIXELS_A_TICK.y),
  };
}

/** The least and the greatest: as arguments of Math.min there would be a limit of them. */
const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

/**
 * Where each candidate is.
 * @returns {{candidate: Candidate, x: number, y: number}[]}
 */
export const placesOf = (measured, scales, fitness) =>
  measured.map((candidate) => ({ candidate, x: scales.x.at(candidate.multiply_adds), y: scales.y.at(valueOf(candidate, fitness)) }));

/** The dots of each generation as one path of SVG, the earliest first: thousands of elements would be slow. */
export function dotsOf(places) {
  const paths = new Map();
  for (const { candidate, x, y } of places) {
    const path = paths.get(candidate.generation) ?? [];
    path.push(`M${x.toFixed(1)} ${y.toFixed(1)}h0`);
    paths.set(candidate.generation, path);
  }
  return [...paths].sort(([one], [other]) => one - other).map(([generation, path]) => ({ generation, path: path.join("") }));
}

/** How late a generation is, from 0 for the first to 1 for the last of a search. */
export const lateness = (generation, generations) => (generations > 1 ? Math.min(Math.max((generation - 1) / (generations - 1), 0), 1) : 1);

/** The candidate that is nearest to a place of the drawing; null if none is near. */
export function nearestOf(places, x, y) {
  let found = null;
  let least = NEAR ** 2;
  for (const place of places) {
    const distance = (place.x - x) ** 2 + (place.y - y) ** 2;
    if (distance > least) continue;
    least = distance;
    found = place.candidate;
  }
  return found;
}

// What a chart shows beside its lines: moments of the run, breaks, and values beyond the range.

import { breaks } from "./series.js";
import { colour, lineColour } from "./colours.js";

/**
 * @typedef {object} Mark
 * @property {number} x Where on the x axis.
 * @property {string} kind "attempt", "pause", "checkpoint", "best", "phase" or "broken".
 * @property {string} label What happened.
 */

const TONES = { attempt: "--warn", pause: "--waiting", checkpoint: "--quiet", best: "--good", phase: "--accent", broken: "--bad" };
const NEAR_PIXELS = 6;

/**
 * A plugin of uPlot that draws marks as lines from top to bottom, best ones with a star on top.
 * @param {() => Mark[]} marks
 */
export function marksPlugin(marks) {
  return { hooks: { drawAxes: [(plot) => marks().forEach((mark) => drawMark(plot, mark))] } };
}

function drawMark(plot, { x, kind }) {
  const { ctx, bbox, scales } = plot;
  if (x < scales.x.min || x > scales.x.max) return;
  const left = Math.round(plot.valToPos(x, "x", true));
  ctx.save();
  ctx.strokeStyle = colour(TONES[kind] ?? "--quiet");
  ctx.lineWidth = devicePixelRatio;
  ctx.globalAlpha = kind === "checkpoint" ? 0.35 : 0.9;
  ctx.setLineDash(kind === "checkpoint" ? [2, 4] : [5, 3]);
  ctx.beginPath();
  ctx.moveTo(left, bbox.top);
  ctx.lineTo(left, bbox.top + bbox.height);
  ctx.stroke();
  if (kind === "best") star(ctx, left, bbox.top);
  ctx.restore();
}

function star(ctx, x, top) {
  ctx.fillStyle = colour(TONES.best);
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.fillText("★", x, top);
}

/** The marks at the cursor of a plot, the nearest first, and whether it is in the left half. */
export function marksNear(plot, marks) {
  const left = plot.cursor.left ?? -1;
  if (left < 0) return { marks: [], isLeft: false };
  const near = marks
    .map((mark) => ({ mark, pixels: Math.abs(plot.valToPos(mark.x, "x") - left) }))
    .filter(({ pixels }) => pixels <= NEAR_PIXELS)
    .sort((one, other) => one.pixels - other.pixels);
  return { marks: near.map(({ mark }) => mark), isLeft: left < plot.over.clientWidth / 2 };
}

/**
 * A plugin of uPlot that draws a cross where a value was not finite, and a triangle at the edge for
 * each value beyond the range.
 * @param {() => (import("./series.js").Series & {line: number})[]} shown
 */
export function outliersPlugin(shown) {
  return { hooks: { draw: [(plot) => shown().forEach((series) => drawOutliers(plot, series))] } };
}

function drawOutliers(plot, { points, line }) {
  const { ctx, scales, bbox } = plot;
  ctx.save();
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.strokeStyle = colour("--bad");
  for (const [x, last] of breaks(points)) {
    const y = last === null ? bbox.top + bbox.height / 2 : clamped(plot.valToPos(last, "y", true), bbox);
    cross(ctx, plot.valToPos(x, "x", true), y);
  }
  ctx.fillStyle = lineColour(line);
  for (const [x, y] of points) {
    if (y === null || x < scales.x.min || x > scales.x.max) continue;
    if (y > scales.y.max) triangle(ctx, plot.valToPos(x, "x", true), bbox.top, 1);
    if (y < scales.y.min) triangle(ctx, plot.valToPos(x, "x", true), bbox.top + bbox.height, -1);
  }
  ctx.restore();
}

const clamped = (y, bbox) => Math.min(Math.max(y, bbox.top), bbox.top + bbox.height);

function cross(ctx, x, y) {
  const size = 5 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x - size, y - size);
  ctx.lineTo(x + size, y + size);
  ctx.moveTo(x + size, y - size);
  ctx.lineTo(x - size, y + size);
  ctx.stroke();
}

/** Its tip is at the edge and leads beyond it: `direction` 1 is the upper edge. */
function triangle(ctx, x, edge, direction) {
  const size = 4 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, edge);
  ctx.lineTo(x - size, edge + direction * size * 1.6);
  ctx.lineTo(x + size, edge + direction * size * 1.6);
  ctx.fill();
}

// Which series the charts of a job have.

import { timeShares } from "../../charts/time_shares.js";
import { placed } from "../../charts/x_axis.js";
import { isErrorRate, metricTitle, namedMetric } from "../../text/format.js";
import { partsOf, titleOfPart } from "../../text/time_spent.js";
import { share } from "../../text/use.js";
import { withBreak } from "./run_marks.js";

/** The charts by their titles; the first two are there without any value. */
const CHARTS = [
  { title: "Loss", has: (name) => name.endsWith("loss"), isAlways: true },
  // Between 0 and 1 nothing is an outlier.
  { title: "Error", has: isErrorRate, isAlways: true, isClipped: false },
  { title: "Learning rate", has: (name) => name === "learning_rate" },
  { title: "Images/s", has: (name) => name === "images_per_second" },
];
/** Of each validation the same number. */
const NO_CHART = ["samples"];
/** The line that ends where the loss was not finite. */
const BROKEN = "loss";

/**
 * The charts that have a series, with their lines; a job of another version may measure anything.
 * @param {any} measured
 * @param {import("../../charts/x_axis.js").RunAxis} axis
 * @param {import("../../charts/marks.js").Mark | null} broken
 */
export function chartsOf({ series, time_spent: spent }, axis, broken) {
  const names = Object.keys(series).filter((name) => series[name].length);
  if (broken && !names.includes(BROKEN)) names.push(BROKEN);
  const charts = CHARTS.map(({ has, ...chart }) => {
    const lines = names.filter(has).map((name) => lineOf(name, series[name] ?? [], axis, broken));
    return { ...chart, lines };
  });
  const others = names.filter((name) => !NO_CHART.includes(name) && !CHARTS.some(({ has }) => has(name)));
  charts.push(...others.sort().map((name) => ({ title: metricTitle(name), isAlways: false, lines: [lineOf(name, series[name], axis, null)] })));
  return [...charts.filter(({ isAlways, lines }) => isAlways || lines.length), ...timeCharts(spent ?? {}, axis)];
}

function lineOf(name, points, axis, broken) {
  const onAxis = placed(points, axis.ofStep);
  return {
    id: name,
    label: metricTitle(name),
    points: name === BROKEN ? withBreak(onAxis, broken) : onAxis,
    format: (value) => namedMetric(name, value),
  };
}

/** The chart of where the time goes, with the colours of the bar that has all of it. */
function timeCharts(spent, axis) {
  const shares = timeShares(spent);
  const lines = partsOf(Object.fromEntries(Object.keys(shares).map((name) => [name, 1]))).map(({ name, key }) => ({
    id: name,
    label: titleOfPart(name),
    points: placed(shares[key], axis.ofStep),
    format: share,
  }));
  const isMeasured = lines.some(({ points }) => points.length);
  return isMeasured ? [{ title: "Where the time goes", lines, limits: /** @type {[number, number]} */ ([0, 1]), isLog: false, isClipped: false }] : [];
}

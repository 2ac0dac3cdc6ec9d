// The options of a plot of uPlot: scales, axes, lines, cursor.

import { colour, lineColour } from "./colours.js";
import { marksNear, marksPlugin, outliersPlugin } from "./marks.js";
import { smoothed } from "./smoothing.js";
import { aligned } from "./series.js";

const AXIS_FONT = "12px system-ui, sans-serif";
const FEW_POINTS = 40;
const COLOURS = 8;
// Lines beyond the last colour have the colours again, and are broken.
const DASHES = [[], [8, 4], [2, 3]];

const isFew = ({ points }) => points.length <= FEW_POINTS;

/**
 * The columns of the lines: of each series its values, and with smoothing its smooth ones, too. A
 * series of few points, as of validations, has no noise to smooth.
 */
export function columnsOf(series, smoothing) {
  const [xs, ...columns] = aligned(series.map(({ points }) => points));
  const smooth = (values, index) => (isFew(series[index]) ? values : smoothed(values, smoothing));
  const lines = columns.flatMap((values, index) => (smoothing ? [values, smooth(values, index)] : [values]));
  return [xs, ...lines];
}

/**
 * @param {object} chart What is drawn: see `Chart`; `shown()`, `marks()` and `range()` are read at
 * each drawing.
 */
export function optionsOf({ series, xAxis, isLog, smoothing, width, height, view, range, shown, marks, onCursor, onZoom }) {
  return {
    width,
    height,
    legend: { show: false },
    scales: { x: { time: Boolean(xAxis.isTime), range: () => range.x() }, y: { distr: isLog ? 3 : 1, range: () => range.y() } },
    series: [{}, ...series.flatMap((each) => linesOf(each, smoothing))],
    axes: axesOf(series, xAxis),
    cursor: {
      // What is selected is shown in all charts by their view: each that selected it, too, would zoom again.
      sync: { key: view.key, filters: { sub: (event) => event !== "mousedown" && event !== "mouseup" } },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
      focus: { prox: 24 },
    },
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.idx, marksNear(plot, marks()))],
      setSelect: [(plot) => select(plot, onZoom)],
    },
    plugins: [marksPlugin(marks), outliersPlugin(shown)],
  };
}

function select(plot, onZoom) {
  const { left, width } = plot.select;
  if (width < 4) return;
  onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function linesOf(each, smoothing) {
  const { line, isHidden } = each;
  const stroke = lineColour(line);
  const plain = {
    stroke,
    dash: DASHES[Math.floor(line / COLOURS) % DASHES.length],
    width: 1.75,
    show: !isHidden,
    // With few points each is a dot, so that a single one is seen.
    points: { show: isFew(each), size: 5, fill: stroke },
  };
  if (!smoothing) return [plain];
  return [{ ...plain, width: 1, alpha: 0.25, points: { show: false } }, plain];
}

function axesOf(series, xAxis) {
  const axis = {
    stroke: colour("--quiet"),
    font: AXIS_FONT,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  const format = series[0]?.format ?? String;
  return [
    { ...axis, ...(xAxis.increments && { incrs: xAxis.increments }), size: 30, values: (_, ticks) => ticks.map((tick) => xAxis.format(tick)) },
    // A tick of a logarithmic axis that has no label is null.
    { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => tickText(tick, format)) },
  ];
}

/** A tick in short: "2.5" and "60 %", and an exponent where a diverged loss is wider than the axis. */
export function tickText(tick, format) {
  if (tick === null) return "";
  if (Math.abs(tick) >= 1e5) return tick.toExponential(1);
  return format(tick).replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");
}

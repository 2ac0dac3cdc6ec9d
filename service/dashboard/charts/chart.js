// A chart of series over steps, epochs or time.

import { useEffect, useMemo, useRef, useSignal } from "../vendor/preact.js";
import uPlot from "../vendor/uplot.js";
import { html } from "../parts/html.js";
import { isDark } from "./colours.js";
import { Legend } from "./legend.js";
import { columnsOf, optionsOf } from "./plot.js";
import { valueRange } from "./range.js";
import { ChartTools } from "./tools.js";

const HEIGHT = 240;

/**
 * @typedef {object} ChartProps
 * @property {string} title
 * @property {import("./series.js").Series[]} series
 * @property {{name: string, format: (x: number) => string, isTime?: boolean, increments?: number[]}} xAxis With `isTime`, x is seconds since 1970.
 * @property {import("./view.js").ChartView} view
 * @property {import("./marks.js").Mark[]} [marks]
 * @property {boolean} [isLog]
 * @property {boolean} [isClipped] Whether outliers are left out of the range; they are marked.
 * @property {[number, number] | null} [extent] All of the x axis, if it is not that of these series alone.
 * @property {[number, number]} [limits] The range of the values, if it is always the same.
 * @property {number} [smoothing] The weight of what came before, from 0 to below 1.
 */

const MOST_NOTED = 3;
/** @type {{marks: import("./marks.js").Mark[], isLeft: boolean}} */
const NOTHING_NEAR = { marks: [], isLeft: false };

/** @param {ChartProps} props */
export function Chart({ title, series, xAxis, view, marks = [], isLog = false, isClipped = true, extent = null, limits, smoothing = 0 }) {
  const hidden = useSignal(new Set());
  const index = useSignal(null);
  const near = useSignal(NOTHING_NEAR);
  const lines = series.map((each, line) => ({ ...each, line, isHidden: hidden.value.has(each.id) }));
  const shown = lines.filter(({ isHidden, points }) => !isHidden && points.length);
  const data = useMemo(() => columnsOf(lines, smoothing), [series, smoothing]);
  const latest = useRef(null);
  latest.current = { data, shown, marks, isLog, isClipped, limits, range: view.range.value ?? extent };
  const plot = usePlot(latest, { lines, xAxis, isLog, smoothing, view, index, near });
  const toggle = (id) => {
    hidden.value = toggled(hidden.value, id);
  };
  const isEmpty = !series.some(({ points }) => points.length);
  return html`
    <figure class="panel chart">
      <figcaption>
        <h2>${title}</h2>
        <${Legend} lines=${lines} data=${data} index=${index} perLine=${smoothing ? 2 : 1} onToggle=${toggle} />
        <${ChartTools} title=${title} series=${series} xName=${xAxis.name} view=${view} plot=${plot} />
      </figcaption>
      <div class="plot-box">
        <div class="plot" role="img" aria-label=${summaryOf(title, xAxis, lines)} ref=${plot.place}></div>
        <${MarkNote} near=${near} />
        ${isEmpty && html`<p class="plot-note">No values yet</p>`}
      </div>
    </figure>
  `;
}

/** What the marks at the cursor are. */
function MarkNote({ near }) {
  const { marks, isLeft } = near.value;
  if (!marks.length) return null;
  return html`
    <p class="mark-note" data-side=${isLeft ? "right" : "left"} aria-hidden="true">
      ${marks.slice(0, MOST_NOTED).map(({ label }) => html`<span>${label}</span>`)}
      ${marks.length > MOST_NOTED && html`<span>${marks.length - MOST_NOTED} more</span>`}
    </p>
  `;
}

/** Keeps a plot of uPlot as its element and what is drawn; makes another if the lines are others. */
function usePlot(latest, { lines, xAxis, isLog, smoothing, view, index, near }) {
  const place = useRef(null);
  const plot = useRef(null);
  const { data, range, isClipped, limits, marks } = latest.current;
  const shape = lines.map(({ id, isHidden, points }) => `${id} ${isHidden} ${points.length <= 40}`).join("\n");
  useEffect(() => {
    if (latest.current.data[0].length === 0) return;
    const options = optionsOf({
      series: lines,
      xAxis,
      isLog,
      smoothing,
      view,
      width: place.current.clientWidth,
      height: HEIGHT,
      shown: () => latest.current.shown,
      marks: () => latest.current.marks,
      range: rangesOf(latest),
      onCursor: (at, { marks: there, isLeft }) => {
        index.value = at ?? null;
        // The cursors of the other charts are linked, and their marks are the same.
        near.value = there.length && place.current.matches(":hover") ? { marks: there, isLeft } : NOTHING_NEAR;
      },
      onZoom: (from, to) => view.zoom(from, to),
    });
    plot.current = new uPlot(options, latest.current.data, place.current);
    const resizes = new ResizeObserver(([{ contentRect }]) => {
      plot.current?.setSize({ width: contentRect.width, height: HEIGHT });
    });
    resizes.observe(place.current);
    return () => {
      resizes.disconnect();
      plot.current.destroy();
      plot.current = null;
    };
  }, [shape, xAxis.name, isLog, smoothing, isDark.value, data[0].length === 0]);
  // A redrawing alone keeps the ranges that there are.
  useEffect(() => plot.current?.setData(data), [data, range, isClipped, limits]);
  useEffect(() => plot.current?.redraw(false), [marks]);
  return { place, canvas: () => plot.current?.ctx.canvas ?? null };
}

/** The ranges of both axes, as uPlot asks for them at each drawing. */
function rangesOf(latest) {
  const x = () => {
    const { range, data } = latest.current;
    return range ?? [data[0][0], widened(data[0][0], data[0].at(-1))];
  };
  const y = () => {
    const { shown, isLog, isClipped, limits } = latest.current;
    if (limits) return limits;
    const [from, to] = x();
    const values = shown.flatMap(({ points }) => points.filter(([at, value]) => value !== null && at >= from && at <= to));
    return valueRange(values.map(([, value]) => value), { isLog, isClipped });
  };
  return { x, y };
}

/** One point alone has room around it. */
const widened = (from, to) => (from === to ? from + 1 : to);

function toggled(ids, id) {
  const changed = new Set(ids);
  if (!changed.delete(id)) changed.add(id);
  return changed;
}

function summaryOf(title, xAxis, lines) {
  const measured = lines.filter(({ points }) => points.length);
  if (!measured.length) return title;
  const last = Math.max(...measured.map(({ points }) => points.at(-1)[0]));
  const values = measured.map(({ label, points, format }) => `${label} ${lastValue(points, format)}`);
  return `${title} at ${xAxis.name} ${xAxis.format(last)}: ${values.join(", ")}`;
}

const lastValue = (points, format) => (points.at(-1)[1] === null ? "not finite" : format(points.at(-1)[1]));

// The charts of the use of a host and its GPUs over time.

import { useMemo } from "../vendor/preact.js";
import { html } from "../parts/html.js";
import { timeOnAxis } from "../text/format.js";
import { celsius, share, watts } from "../text/use.js";
import { Chart } from "./chart.js";
import { ChartView } from "./view.js";
import { placed } from "./x_axis.js";

const TIME = { name: "time", format: timeOnAxis, isTime: true };
/** @type {[number, number]} */
const ALL = [0, 1];
const HOST = new Map([
  ["cpu_use", "CPU"],
  ["memory_use", "Memory"],
  ["disk_use", "Disk of the volume"],
]);
const GPU = /^gpu(\d+)\.(.+)$/;

/**
 * The charts of GPUs by the ends of their series' names.
 * @type {{title: string, measure: string, format: (value: any) => string, limits?: [number, number]}[]}
 */
const OF_GPUS = [
  { title: "GPU use", measure: "use", format: share, limits: ALL },
  { title: "GPU memory", measure: "memory_use", format: share, limits: ALL },
  { title: "GPU temperature", measure: "temperature_celsius", format: celsius },
  { title: "GPU power", measure: "power_watts", format: watts },
];

/**
 * @param {object} props
 * @param {Record<string, [number, number][]>} props.series By name the [seconds since 1970, value] pairs.
 * @param {{view: ChartView, axis: import("./x_axis.js").RunAxis, marks: import("./marks.js").Mark[], extent: [number, number] | null} | null} [props.shared]
 * The axis of other charts, with their zoom and their cursor; without it x is the time of day.
 */
export function UseCharts({ series, shared = null }) {
  const own = useMemo(() => new ChartView(), []);
  const { view, marks, extent } = shared ?? { view: own, marks: NO_MARKS, extent: null };
  const axis = shared?.axis;
  const charts = useMemo(() => {
    const onAxis = axis ? mapped(series, axis) : series;
    return [hostChart(onAxis), ...OF_GPUS.map((each) => gpuChart(onAxis, each))];
  }, [series, axis]);
  return html`
    <div class="charts">
      ${charts
        .filter(({ lines }) => lines.length)
        .map(
          ({ title, lines, limits }) => html`
            <${Chart} key=${title} title=${title} series=${lines} xAxis=${axis ?? TIME} view=${view} marks=${marks} extent=${extent} isClipped=${false} limits=${limits} />
          `,
        )}
    </div>
  `;
}

const NO_MARKS = [];

const mapped = (series, axis) => Object.fromEntries(Object.entries(series).map(([name, points]) => [name, placed(points, axis.ofTime)]));

function hostChart(series) {
  const names = [...HOST.keys()].filter((name) => series[name]);
  const lines = names.map((name) => ({ id: name, label: HOST.get(name), points: series[name], format: share }));
  return { title: "Host", lines, limits: ALL };
}

/**
 * @param {Record<string, [number, number][]>} series
 * @param {typeof OF_GPUS[number]} chart
 */
function gpuChart(series, { title, measure, format, limits }) {
  const lines = Object.keys(series)
    .map((name) => ({ name, match: GPU.exec(name) }))
    .filter(({ match }) => match?.[2] === measure)
    .map(({ name, match }) => ({ id: name, index: Number(match[1]), label: `GPU ${match[1]}`, points: series[name], format }))
    .sort((one, other) => one.index - other.index);
  return { title, lines, limits };
}

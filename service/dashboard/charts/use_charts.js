// The charts of the use of a host and its GPUs over time.

import { useMemo } from "../vendor/preact.js";
import { html } from "../parts/html.js";
import { timeOnAxis } from "../text/format.js";
import { celsius, share, watts } from "../text/use.js";
import { Chart } from "./chart.js";
import { ChartView } from "./view.js";

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

/** @param {{series: Record<string, [number, number][]>}} props By name the [seconds since 1970, value] pairs. */
export function UseCharts({ series }) {
  const view = useMemo(() => new ChartView(), []);
  const charts = useMemo(() => [hostChart(series), ...OF_GPUS.map((each) => gpuChart(series, each))], [series]);
  return html`
    <div class="charts">
      ${charts
        .filter(({ lines }) => lines.length)
        .map(
          ({ title, lines, limits }) => html`
            <${Chart} key=${title} title=${title} series=${lines} xAxis=${TIME} view=${view} marks=${NO_MARKS} isClipped=${false} limits=${limits} />
          `,
        )}
    </div>
  `;
}

const NO_MARKS = [];

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
    .map((name) => ({ name, found: GPU.exec(name) }))
    .filter(({ found }) => found?.[2] === measure)
    .map(({ name, found }) => ({ id: name, index: Number(found[1]), label: `GPU ${found[1]}`, points: series[name], format }))
    .sort((one, other) => one.index - other.index);
  return { title, lines, limits };
}

// The charts of a job's measurements, and how they are drawn, which is part of the address.

import { useMemo } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Chart } from "../../charts/chart.js";
import { ChartSettings, settingsOf } from "../../charts/settings.js";
import { ChartView } from "../../charts/view.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { route } from "../../state/route.js";
import { count, metricTitle, namedMetric } from "../../text/format.js";

const POLL_MS = 10_000;
const MAX_POINTS = 600;
const STEPS = { name: "step", format: count };

/** The charts by their titles; the first two are there without any value. */
const CHARTS = [
  { title: "Loss", has: (name) => name.endsWith("loss"), isAlways: true },
  { title: "Error", has: (name) => name.endsWith("_error"), isAlways: true },
  { title: "Learning rate", has: (name) => name === "learning_rate" },
  { title: "Images/s", has: (name) => name === "images_per_second" },
];

export function JobCharts({ job }) {
  const path = `${jobPath(job.id)}/metrics?max_points=${MAX_POINTS}`;
  const { value, error } = usePolled(path, POLL_MS, job.version);
  return html`
    <${Problem} of="Charts" error=${error} />
    <${Charts} series=${value?.series ?? NONE} marks=${NO_MARKS} />
  `;
}

const NONE = {};
const NO_MARKS = [];

/**
 * @param {object} props
 * @param {Record<string, [number, number | null][]>} props.series By name of the metric.
 * @param {import("../../charts/marks.js").Mark[]} props.marks
 */
function Charts({ series, marks }) {
  const view = useMemo(() => new ChartView(), []);
  const { query } = route.value;
  const settings = { view, marks, xAxis: STEPS, ...settingsOf(query) };
  const charts = useMemo(() => chartsOf(series), [series]);
  return html`
    <${ChartSettings} query=${query} />
    <div class="charts">
      ${charts.map(({ title, lines }) => html`<${Chart} key=${title} title=${title} series=${lines} ...${settings} />`)}
    </div>
  `;
}

/** The charts that have a series, with their lines; a job of another version may measure anything. */
function chartsOf(series) {
  return CHARTS.map(({ title, has, isAlways }) => ({
    title,
    isAlways,
    lines: Object.keys(series)
      .filter((name) => has(name) && series[name].length)
      .map((name) => ({
        id: name,
        label: metricTitle(name),
        points: series[name],
        format: (value) => namedMetric(name, value),
      })),
  })).filter(({ isAlways, lines }) => isAlways || lines.length);
}

// The measurements of several jobs over each other, one chart a metric.

import { useEffect, useMemo } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolledAll } from "../../api/polled_all.js";
import { Chart } from "../../charts/chart.js";
import { axisIn, ChartSettings, settingsOf } from "../../charts/settings.js";
import { ChartView } from "../../charts/view.js";
import { axesOf, extentOf, placed } from "../../charts/x_axis.js";
import { html } from "../../parts/html.js";
import { route } from "../../state/route.js";
import { isErrorRate, metricTitle, namedMetric } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";

const POLL_MS = 10_000;
const MAX_POINTS = 300;
// The others follow by name.
const FIRST = ["loss", "val_loss", "top1_error", "top5_error", "learning_rate", "images_per_second"];

export function CompareCharts({ jobs }) {
  const view = useMemo(() => new ChartView(), []);
  const pathOf = ({ id }) => `${jobPath(id)}/metrics?max_points=${MAX_POINTS}`;
  const answers = usePolledAll(jobs.map(pathOf), POLL_MS);
  const { query } = route.value;
  const runs = useMemo(() => jobs.map((job) => runOf(job, answers.get(pathOf(job))?.value)), [jobs, answers]);
  const axes = sharedAxes(runs);
  const axis = axisIn(query, axes);
  const charts = useMemo(() => chartsOf(runs, axis.name), [runs, axis.name]);
  const extent = useMemo(() => extentOf(charts), [charts]);
  const settings = settingsOf(query);
  useEffect(() => view.reset(), [axis.name]);
  if (!charts.length) return html`<p class="quiet">None of these jobs has measured anything yet.</p>`;
  return html`
    <${ChartSettings} query=${query} axes=${axes} jobs=${jobs.map(({ id }) => id)} />
    <div class="charts">
      ${charts.map(
        ({ name, lines }) => html`
          <${Chart}
            key=${name}
            title=${metricTitle(name)}
            series=${lines}
            xAxis=${axis}
            view=${view}
            extent=${extent}
            ...${settings}
            isClipped=${settings.isClipped && !isErrorRate(name)}
          />
        `,
      )}
    </div>
  `;
}

/** A job with what it has measured, and its axes. */
function runOf(job, measured) {
  const axes = axesOf({ times: measured?.times ?? [], stepsPerEpoch: job.progress.steps_per_epoch });
  return { job, axes, series: measured?.series ?? {} };
}

/** The axes that every job has which has measured anything. */
function sharedAxes(runs) {
  const measured = runs.filter(({ series }) => Object.keys(series).length);
  const first = measured[0]?.axes ?? axesOf({});
  const shared = Object.keys(first).map((name) => [name, measured.every(({ axes }) => axes[name]) ? first[name] : null]);
  return Object.fromEntries(shared);
}

/** A chart for each metric that any job has measured, with a line for each job that has. */
function chartsOf(runs, axis) {
  const all = new Set(runs.flatMap(({ series }) => Object.keys(series)));
  const place = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const names = [...all].sort((one, other) => place(one) - place(other) || one.localeCompare(other));
  return names.map((name) => ({
    name,
    // A job without the metric keeps its place, so that each job has one colour in all charts.
    lines: runs.map(({ job, axes, series }) => ({
      id: job.id,
      label: titleOf(job),
      points: Object.hasOwn(series, name) ? placed(series[name], axes[axis].ofStep) : [],
      format: (value) => namedMetric(name, value),
    })),
  }));
}

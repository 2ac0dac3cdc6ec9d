// The measurements of several jobs over each other, one chart a metric.

import { useMemo } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolledAll } from "../../api/polled_all.js";
import { Chart } from "../../charts/chart.js";
import { ChartSettings, settingsOf } from "../../charts/settings.js";
import { ChartView } from "../../charts/view.js";
import { html } from "../../parts/html.js";
import { route } from "../../state/route.js";
import { count, metricTitle, namedMetric } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";

const POLL_MS = 10_000;
const MAX_POINTS = 300;
const STEPS = { name: "step", format: count };
// The others follow by name.
const FIRST = ["loss", "val_loss", "top1_error", "top5_error", "learning_rate", "images_per_second"];

export function CompareCharts({ jobs }) {
  const view = useMemo(() => new ChartView(), []);
  const pathOf = ({ id }) => `${jobPath(id)}/metrics?max_points=${MAX_POINTS}`;
  const answers = usePolledAll(jobs.map(pathOf), POLL_MS);
  const { query } = route.value;
  const charts = useMemo(() => chartsOf(jobs, (job) => answers.get(pathOf(job))?.value?.series ?? {}), [jobs, answers]);
  if (!charts.length) return html`<p class="quiet">None of these jobs has measured anything yet.</p>`;
  return html`
    <${ChartSettings} query=${query} />
    <div class="charts">
      ${charts.map(
        ({ name, series }) =>
          html`<${Chart} key=${name} title=${metricTitle(name)} series=${series} xAxis=${STEPS} view=${view} ...${settingsOf(query)} />`,
      )}
    </div>
  `;
}

/** A chart for each metric that any job has measured, with a line for each job that has. */
function chartsOf(jobs, seriesOf) {
  const all = new Set(jobs.flatMap((job) => Object.keys(seriesOf(job))));
  const place = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const names = [...all].sort((one, other) => place(one) - place(other) || one.localeCompare(other));
  return names.map((name) => ({
    name,
    // A job without the metric keeps its place, so that each job has one colour in all charts.
    series: jobs.map((job) => ({
      id: job.id,
      label: titleOf(job),
      points: Object.hasOwn(seriesOf(job), name) ? seriesOf(job)[name] : [],
      format: (value) => namedMetric(name, value),
    })),
  }));
}

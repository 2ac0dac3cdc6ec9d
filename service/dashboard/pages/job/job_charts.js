// The charts of a job's measurements, and how they are drawn, which is part of the address.

import { useEffect, useMemo } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Chart } from "../../charts/chart.js";
import { MarkKey } from "../../charts/mark_key.js";
import { axisIn, ChartSettings, settingsOf } from "../../charts/settings.js";
import { ChartView } from "../../charts/view.js";
import { axesOf, extentOf } from "../../charts/x_axis.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { route } from "../../state/route.js";
import { checkpointsPath } from "./checkpoints.js";
import { HostUse } from "./host_use.js";
import { chartsOf } from "./job_series.js";
import { brokenMark, runMarks } from "./run_marks.js";

const POLL_MS = 10_000;
const LOOK_MS = 30_000;
const MAX_POINTS = 600;

export function JobCharts({ job }) {
  const path = jobPath(job.id);
  const { value, error } = usePolled(`${path}/metrics?max_points=${MAX_POINTS}`, POLL_MS, job.version);
  const attempts = usePolled(`${path}/attempts`, LOOK_MS, `${job.attempt} ${job.state}`).value?.data ?? NONE;
  const checkpoints = usePolled(checkpointsPath(job, true), LOOK_MS, `${job.latest_checkpoint} ${job.best_checkpoint}`).value?.data ?? NONE;
  return html`
    <${Problem} of="Charts" error=${error} />
    <${Charts} job=${job} measured=${value ?? NOTHING} attempts=${attempts} checkpoints=${checkpoints} />
  `;
}

const NONE = [];
const NOTHING = { series: {} };

/**
 * @param {object} props
 * @param {any} props.job
 * @param {any} props.measured What `GET /jobs/{id}/metrics` has; an older server sends series alone.
 * @param {any[]} props.attempts
 * @param {any[]} props.checkpoints
 */
function Charts({ job, measured, attempts, checkpoints }) {
  const view = useMemo(() => new ChartView(), []);
  const { query } = route.value;
  const stepsPerEpoch = job.progress.steps_per_epoch;
  const axes = useMemo(() => axesOf({ times: measured.times ?? [], stepsPerEpoch }), [measured, stepsPerEpoch]);
  const axis = axisIn(query, axes);
  useEffect(() => view.reset(), [axis.name]);
  const about = [job.progress.step, job.reason, job.best_checkpoint, attempts, checkpoints, axis];
  const marks = useMemo(() => runMarks({ job, attempts, checkpoints }, axis), about);
  const charts = useMemo(() => chartsOf(measured, axis, brokenMark(job, attempts, axis)), [measured, attempts, job.reason, axis]);
  const extent = useMemo(() => extentOf(charts), [charts]);
  // Before a run has moved on, all samples would be at its first step.
  const hasMoments = axis.name === "time" || (measured.times?.length ?? 0) > 1;
  const settings = { view, marks, extent, xAxis: axis, ...settingsOf(query) };
  return html`
    <${ChartSettings} query=${query} axes=${axes} jobs=${[job.id]} />
    <${MarkKey} marks=${marks} />
    <div class="charts">
      ${charts.map(({ title, lines, ...own }) => html`<${Chart} key=${title} title=${title} series=${lines} ...${settings} ...${own} />`)}
    </div>
    <${HostUse} job=${job} shared=${hasMoments ? { view, axis, marks, extent } : null} />
  `;
}

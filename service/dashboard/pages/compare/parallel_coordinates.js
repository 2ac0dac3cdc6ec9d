// One line a job through an axis for each number that differs, and through its error at the end.

import { useState } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { shortNumber } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";
import { differing, rowsOf, rowTitle } from "./differences.js";

const WIDTH = 960;
const HEIGHT = 260;
const MARGIN = { top: 34, bottom: 28, side: 70 };
const MOST_AXES = 8;
const FEWEST_JOBS = 3;
const RESULTS = ["top1_error", "val_loss", "loss"];

/** Nothing for fewer than three jobs, or where no number but the result differs. */
export function ParallelCoordinates({ jobs }) {
  const [marked, mark] = useState(null);
  const axes = axesOf(jobs);
  if (jobs.length < FEWEST_JOBS || axes.length < 2) return null;
  const x = (index) => MARGIN.side + (index * (WIDTH - 2 * MARGIN.side)) / (axes.length - 1);
  return html`
    <section class="panel">
      <h2>Parameters and result</h2>
      <svg class="parallel" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${`Parallel coordinates: ${axes.map(({ title }) => title).join(", ")}`}>
        ${axes.map((axis, index) => html`<${Axis} key=${axis.name} axis=${axis} x=${x(index)} />`)}
        ${jobs.map(
          (job, line) => html`
            <polyline
              key=${job.id}
              data-line=${(line % 8) + 1}
              class=${marked === null || marked === line ? "job-line" : "job-line faint"}
              points=${pointsOf(axes, line, x)}
              onMouseEnter=${() => mark(line)}
              onMouseLeave=${() => mark(null)}
            ><title>${titleOf(job)}</title></polyline>
          `,
        )}
      </svg>
    </section>
  `;
}

function Axis({ axis, x }) {
  return html`
    <g class="axis">
      <line x1=${x} x2=${x} y1=${MARGIN.top} y2=${HEIGHT - MARGIN.bottom} />
      <text x=${x} y="14" text-anchor="middle" class="axis-title">${axis.title}</text>
      <text x=${x} y=${MARGIN.top - 6} text-anchor="middle">${shortNumber(axis.high)}</text>
      <text x=${x} y=${HEIGHT - MARGIN.bottom + 16} text-anchor="middle">${shortNumber(axis.low)}</text>
    </g>
  `;
}

/** The numbers that differ: parameters first, the result last; as many as are still read. */
export function axesOf(jobs) {
  const rows = differing(rowsOf(jobs)).filter(({ values }) => values.some((value) => typeof value === "number"));
  const parameters = rows.filter(({ group }) => group === "parameter").slice(0, MOST_AXES - 1);
  const result = RESULTS.map((name) => rows.find((row) => row.group === "result" && row.name === name)).find(Boolean);
  if (!parameters.length || !result) return [];
  return [...parameters, result].map((row) => axisOf(row));
}

function axisOf(row) {
  const values = row.values.map((value) => (typeof value === "number" ? value : null));
  const present = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...present), Math.max(...present)];
  // Learning rates and weight decays are compared by their ratios.
  const isLog = low > 0 && high / low >= 30;
  return { name: row.name, title: rowTitle(row), values, low, high, isLog };
}

/** The line of a job passes the axes of which it has no value. */
function pointsOf(axes, line, x) {
  const points = axes.map((axis, index) => ({ axis, at: x(index), value: axis.values[line] }));
  const present = points.filter(({ value }) => value !== null);
  return present.map(({ axis, at, value }) => `${at},${heightOf(axis, value)}`).join(" ");
}

function heightOf({ low, high, isLog }, value) {
  const scaled = (each) => (isLog ? Math.log(each) : each);
  const part = high === low ? 0.5 : (scaled(value) - scaled(low)) / (scaled(high) - scaled(low));
  return HEIGHT - MARGIN.bottom - part * (HEIGHT - MARGIN.top - MARGIN.bottom);
}

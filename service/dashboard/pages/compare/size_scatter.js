// Error against multiply-adds: what a network costs and what it gains, with the Pareto front.

import { html } from "../../parts/html.js";
import { errorRate, metric } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";
import { paretoFront } from "./pareto.js";

const WIDTH = 960;
const HEIGHT = 300;
const MARGIN = { top: 16, right: 24, bottom: 40, left: 72 };
const FEWEST = 2;

/** Nothing for fewer than two jobs whose error and size are known. */
export function SizeScatter({ jobs, recipes }) {
  const points = pointsOf(jobs, recipes);
  if (points.length < FEWEST) return null;
  const x = scaleOf(points.map((point) => point.cost), [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleOf(points.map((point) => point.error), [HEIGHT - MARGIN.bottom, MARGIN.top]);
  const front = paretoFront(points).map(({ cost, error }) => `${x.at(cost)},${y.at(error)}`).join(" ");
  return html`
    <section class="panel">
      <h2>Error and size</h2>
      <svg class="scatter" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label="Top-1 error against multiply-adds">
        <g class="axis">
          <line x1=${MARGIN.left} x2=${WIDTH - MARGIN.right} y1=${HEIGHT - MARGIN.bottom} y2=${HEIGHT - MARGIN.bottom} />
          <line x1=${MARGIN.left} x2=${MARGIN.left} y1=${MARGIN.top} y2=${HEIGHT - MARGIN.bottom} />
          ${x.ends.map((end) => html`<text key=${`x${end}`} x=${x.at(end)} y=${HEIGHT - 22} text-anchor="middle">${millions(end)}</text>`)}
          ${y.ends.map((end) => html`<text key=${`y${end}`} x=${MARGIN.left - 8} y=${y.at(end) + 4} text-anchor="end">${errorRate(end)}</text>`)}
          <text x=${WIDTH / 2} y=${HEIGHT - 4} text-anchor="middle" class="axis-title">multiply-adds of an image</text>
        </g>
        <polyline class="front" points=${front} />
        ${points.map(
          ({ job, line, cost, error }) => html`
            <circle key=${job.id} data-line=${(line % 8) + 1} cx=${x.at(cost)} cy=${y.at(error)} r="6">
              <title>${`${titleOf(job)}: ${errorRate(error)} at ${millions(cost)}`}</title>
            </circle>
          `,
        )}
      </svg>
    </section>
  `;
}

const millions = (value) => `${metric(value / 1e6)} M`;

/** A linear scale of values to a range, with room at both ends. */
function scaleOf(values, [from, to]) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || Math.abs(high) || 1;
  const at = (value) => from + (0.08 + (0.84 * (value - low)) / span) * (to - from);
  return { at, ends: low === high ? [low] : [low, high] };
}

/** The jobs whose error is measured and whose network's size the recipe tells. */
function pointsOf(jobs, recipes) {
  const sizes = new Map(recipes.map(({ name, sizes: own }) => [name, new Map(Object.entries(own ?? {}))]));
  return jobs
    .map((job, line) => ({
      job,
      line,
      cost: costOf(sizes.get(job.recipe)?.get(job.variant), job.spec.params?.image_size),
      error: job.result?.top1_error ?? job.metrics.top1_error,
    }))
    .filter(({ cost, error }) => Number.isFinite(cost) && Number.isFinite(error));
}

/** A convolution's multiply-adds grow with the area of its image; sizes are told for 224 pixels. */
const costOf = (size, pixels) => (size ? size.multiply_adds * ((pixels ?? 224) / 224) ** 2 : null);

// The best and the median of each generation of a search.

import { useMemo } from "../../vendor/preact.js";
import { Chart } from "../../charts/chart.js";
import { ChartView } from "../../charts/view.js";
import { html } from "../../parts/html.js";
import { fitnessTitle, formatOf } from "../../text/candidates.js";
import { count } from "../../text/format.js";

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];
const AXIS = { name: "generation", format: (number) => count(number), increments: WHOLE };

/** @param {{search: import("./search_scatter.js").Search}} props */
export function SearchGenerations({ search: { summary, generations } }) {
  const view = useMemo(() => new ChartView(), []);
  const lines = useMemo(() => linesOf(summary), [summary.generations, summary.fitness]);
  // All of them from the start, so that the lines grow into the axis.
  const extent = useMemo(() => /** @type {[number, number]} */ ([1, Math.max(generations, 2)]), [generations]);
  return html`<${Chart} title=${`${fitnessTitle(summary.fitness)} by generation`} series=${lines} xAxis=${AXIS} view=${view} extent=${extent} isClipped=${false} />`;
}

/** @returns {import("../../charts/series.js").Series[]} */
function linesOf({ generations, fitness }) {
  const format = formatOf(fitness);
  const populations = generations.filter(({ number }) => number > 0);
  return ["best", "median"].map((name) => ({ id: name, label: name, points: populations.map((each) => [each.number, each[name]]), format }));
}

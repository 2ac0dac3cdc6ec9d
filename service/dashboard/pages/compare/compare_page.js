// Some jobs side by side: their curves, what differs in their parameters and results.

import { useEffect } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { usePolledAll } from "../../api/polled_all.js";
import { html } from "../../parts/html.js";
import { changeQuery } from "../../state/route.js";
import { counted } from "../../text/format.js";
import { CompareCharts } from "./compare_charts.js";
import { CompareTable } from "./compare_table.js";
import { JobChips } from "./job_chips.js";
import { ParallelCoordinates } from "./parallel_coordinates.js";
import { SizeScatter } from "./size_scatter.js";

const POLL_MS = 10_000;
const RECIPES_POLL_MS = 3_600_000;
export const MOST_JOBS = 20;

export function ComparePage({ query }) {
  const named = [...new Set((query.get("ids") ?? "").split(",").filter(Boolean))];
  const ids = named.slice(0, MOST_JOBS);
  const answers = usePolledAll(ids.map(jobPath), POLL_MS);
  const { value: recipes } = usePolled("recipes", RECIPES_POLL_MS);
  useEffect(() => {
    document.title = "Compare – Trainyard";
  }, []);
  const jobs = ids.map((id) => answers.get(jobPath(id))?.value).filter(Boolean);
  const problems = ids.filter((id) => answers.get(jobPath(id))?.error);
  const remove = (id) => changeQuery({ ids: ids.filter((each) => each !== id).join(",") });
  return html`
    <div class="page-head"><h1>${ids.length ? `Compare ${counted(ids.length, "job", "jobs")}` : "Compare jobs"}</h1></div>
    ${named.length > MOST_JOBS &&
    html`<p class="callout" data-tone="warn">${named.length} jobs are named; the first ${MOST_JOBS} are shown.</p>`}
    ${problems.map((id) => html`<p key=${id} class="callout" data-tone="bad">There is no job ${id}.</p>`)}
    ${!ids.length && html`<${NoJobs} />`}
    ${jobs.length > 0 &&
    html`
      <div class="compare">
        <${JobChips} jobs=${jobs} onRemove=${remove} />
        <${CompareCharts} jobs=${jobs} />
        <${CompareTable} jobs=${jobs} showsAll=${query.has("all")} />
        <${ParallelCoordinates} jobs=${jobs} />
        <${SizeScatter} jobs=${jobs} recipes=${recipes?.data ?? []} />
      </div>
    `}
  `;
}

function NoJobs() {
  return html`
    <div class="empty">
      <h2>No jobs chosen</h2>
      <p>An address names them: <code>#/compare?ids=job_…,job_…</code>, at most ${MOST_JOBS}. <a href="#/jobs">Jobs</a></p>
    </div>
  `;
}

// The page of one job.

import { useEffect, useRef } from "../../vendor/preact.js";
import { jobPath, shortJobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { Files } from "../../parts/files.js";
import { html } from "../../parts/html.js";
import { Lazy } from "../../parts/lazy.js";
import { isEnded } from "../../parts/states.js";
import { announce } from "../../state/announcer.js";
import { navigate } from "../../state/route.js";
import { resetTab, showInTab } from "../../state/tab.js";
import { titleOf } from "../../text/job_title.js";
import { viewOf } from "../../text/kinds.js";
import { Attempts } from "./attempts.js";
import { JobCheckpoints } from "./checkpoints.js";
import { Evaluation } from "./evaluation.js";
import { Events } from "./events.js";
import { Figures, TimeSpent } from "./figures.js";
import { JobHead, Progress } from "./head.js";
import { HostUse } from "./host_use.js";
import { JobCharts } from "./job_charts.js";
import { Descendants, useLineage } from "./lineage.js";
import { LogPanel } from "./log_panel.js";
import { Result } from "./result.js";
import { SubmissionPanel } from "./submission.js";
import { Why } from "./why.js";

const loadSearch = () => import("./search.js").then((module) => module.SearchPanel);

const POLL_MS = 2_000;
const ENDED_POLL_MS = 15_000;

export function JobPage({ id }) {
  const { value: job, error, refresh } = usePolled(shortJobPath(id), (each) => (isEnded(each) ? ENDED_POLL_MS : POLL_MS));
  useStateOfPage(id, job);
  return html`
    <article class="job-page" aria-busy=${!job && !error}>
      <p class="back"><a href="#/jobs">← Jobs</a></p>
      ${error && !job && html`<h1>${id}</h1>`}
      ${error && html`<p class="callout" data-tone="bad">${problemOf(id, job, error)}</p>`}
      ${job && html`<${Shown} job=${job} isGone=${isAbsent(error)} refresh=${refresh} />`}
    </article>
  `;
}

function Shown({ job, isGone, refresh }) {
  const view = viewOf(job);
  // A retry makes a new job, whose page is opened.
  const afterwards = (changed) => (changed && changed.id !== job.id ? navigate(`#/jobs/${encodeURIComponent(changed.id)}`) : refresh());
  const files = Object.entries(job.result?.files ?? {});
  const { value: lineage, error } = useLineage(job);
  return html`
    <${JobHead} job=${job} lineage=${lineage} isGone=${isGone} afterwards=${afterwards} />
    <${Why} job=${job} />
    <${Progress} job=${job} />
    <${Figures} job=${job} />
    <${TimeSpent} spent=${job.progress.time_spent} />
    ${job.kind === "search" && !job.unreadable && html`<${Lazy} of="The search" load=${loadSearch} shown=${{ job, isGone }} />`}
    ${view.charts ? html`<${JobCharts} job=${job} />` : html`<${HostUse} job=${job} />`}
    <${Evaluation} job=${job} />
    ${view.checkpoints && html`<${JobCheckpoints} job=${job} />`}
    ${files.length > 0 &&
    html`
      <section class="panel job-files">
        <h2>Files</h2>
        <${Files} files=${files} hrefOf=${(name) => `${jobPath(job.id)}/files/${encodeURIComponent(name)}`} />
      </section>
    `}
    <${Descendants} lineage=${lineage} error=${isGone ? null : error} />
    <${LogPanel} job=${job} />
    <div class="halves"><${Result} job=${job} /><${Events} job=${job} /></div>
    <${Attempts} job=${job} />
    <${SubmissionPanel} job=${job} parent=${parentOf(job, lineage)} />
  `;
}

/** The job that it retries, or else the training that it goes on from: of its own kind, to compare with. */
function parentOf(job, lineage) {
  return [lineage?.parent, lineage?.source?.job].find((each) => each?.kind === job.kind) ?? null;
}

/** 422: it cannot be the id of a job at all. */
const isAbsent = (error) => error?.status === 404 || error?.status === 422;

function problemOf(id, job, error) {
  if (!isAbsent(error)) return error.message;
  return job ? `${id} has been deleted.` : `There is no job ${id}.`;
}

/** The tab tells the state, and a sentence for screen readers when it changes. */
function useStateOfPage(id, job) {
  const last = useRef(null);
  useEffect(() => {
    showInTab(job ? titleOf(job) : id, job);
    if (job && last.current && last.current !== job.state) announce(`${titleOf(job)} is now ${job.state}`);
    last.current = job?.state ?? null;
  }, [id, job]);
  useEffect(() => resetTab, []);
}

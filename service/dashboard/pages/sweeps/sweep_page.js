// The page of one sweep: its state, its best, its trials as lines and as a table.

import { useEffect, useRef } from "../../vendor/preact.js";
import { sweepPath } from "../../api/client.js";
import { usePages } from "../../api/pages.js";
import { usePolled } from "../../api/polled.js";
import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { Bar } from "../../parts/bar.js";
import { Definitions } from "../../parts/definitions.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { announce } from "../../state/announcer.js";
import { addressOf } from "../../state/route.js";
import { shortId } from "../../text/checkpoints.js";
import { count, namedMetric, NONE, percent } from "../../text/format.js";
import { doneText, fractionOf, methodOf, metricOf, objectiveText, parametersText, sweepTitle } from "../../text/sweeps.js";
import { SweepActions } from "./sweep_actions.js";
import { TrialLines } from "./trial_lines.js";
import { TrialTable } from "./trial_table.js";

const POLL_MS = 3_000;
const ENDED_POLL_MS = 15_000;
const MOST_OF_A_PAGE = 100;

export function SweepPage({ id, query }) {
  const { value: sweep, error, refresh } = usePolled(sweepPath(id), (each) => (each.finished_at ? ENDED_POLL_MS : POLL_MS));
  useStateOfPage(id, sweep);
  // 422: it cannot be the id of a sweep at all.
  const isAbsent = error?.status === 404 || error?.status === 422;
  const absence = sweep ? `${id} has been deleted.` : `There is no sweep ${id}.`;
  return html`
    <article class="job-page sweep-page" aria-busy=${!sweep && !error}>
      <p class="back"><a href="#/sweeps">← Sweeps</a></p>
      ${error && !sweep && html`<h1>${id}</h1>`}
      ${error && html`<p class="callout" data-tone="bad">${isAbsent ? absence : error.message}</p>`}
      ${sweep && html`<${Shown} sweep=${sweep} isGone=${isAbsent} query=${query} refresh=${refresh} />`}
    </article>
  `;
}

function Shown({ sweep, isGone, query, refresh }) {
  const identity = [sweep.id, methodOf(sweep), objectiveText(sweep), sweep.submitted_by && `submitted by ${sweep.submitted_by}`].filter(Boolean).join(" · ");
  return html`
    <header class="job-head">
      <div class="name"><h1>${sweepTitle(sweep)}</h1><${Badge} state=${sweep.state} /></div>
      ${!isGone && html`<div class="verbs"><${SweepActions} sweep=${sweep} afterwards=${refresh} /></div>`}
      <p class="identity">${identity} · <${Ago} at=${sweep.created_at} prefix="created " /></p>
    </header>
    ${sweep.message && html`<p class="callout" data-tone="quiet">${sweep.message}</p>`}
    ${sweep.unreadable && html`<p class="callout" data-tone="warn">${sweep.unreadable}</p>`}
    <div class="job-progress">
      <${Bar} label="Trials done" fraction=${fractionOf(sweep)} state=${sweep.state} />
      <span class="percent">${percent(fractionOf(sweep))}</span>
      <span class="steps">${doneText(sweep)}</span>
    </div>
    <section class="figures"><h2 class="unseen">Figures</h2><${Definitions} entries=${figuresOf(sweep)} /></section>
    <${Trials} sweep=${sweep} query=${query} isGone=${isGone} />
  `;
}

function figuresOf(sweep) {
  const { best, spec } = sweep;
  const found = best && [
    { name: "Best", value: html`<a href=${addressOf(["jobs", best.job_id])} title=${best.job_id}>${namedMetric(metricOf(sweep), best.value)}</a>` },
    { name: "Best trial", value: String(best.number), title: parametersText(best.parameters) },
    { name: "Best checkpoint", value: best.checkpoint_id ? html`<a href=${addressOf(["checkpoints", best.checkpoint_id])} title=${best.checkpoint_id}>${shortId(best.checkpoint_id)}</a>` : NONE },
  ];
  return [
    ...(found ?? [{ name: "Best", value: NONE, title: "No trial has measured a value yet" }]),
    { name: "Steps", value: spec?.budget_steps ? `${count(sweep.steps)} of ${count(spec.budget_steps)}` : count(sweep.steps) },
    { name: "Jobs at once", value: count(spec?.jobs_at_once) },
  ];
}

function Trials({ sweep, query, isGone }) {
  const path = `${sweepPath(sweep.id)}/trials?limit=${MOST_OF_A_PAGE}`;
  const { items, hasMore, isOf, error, more } = usePages(isGone ? null : path, POLL_MS);
  // The lines and the order of the table are those of all trials.
  useEffect(() => {
    if (hasMore) more();
  }, [items.length, hasMore]);
  // The first page and then all of them: each page in between would draw a thousand rows again.
  const shown = useRef({ isOf: null, trials: [] });
  if (!hasMore || shown.current.isOf !== isOf) shown.current = { isOf, trials: items };
  const { trials } = shown.current;
  return html`
    <${Problem} of="Trials" error=${error} />
    <${TrialLines} sweep=${sweep} trials=${trials} />
    <section class="panel" aria-label="Trials that have begun">
      <h2>Trials</h2>
      ${trials.length ? html`<${TrialTable} sweep=${sweep} trials=${trials} query=${query} />` : html`<p class="quiet">None has begun yet.</p>`}
    </section>
  `;
}

/** The tab has its name, and a sentence for screen readers tells when the state changes. */
function useStateOfPage(id, sweep) {
  const last = useRef(null);
  useEffect(() => {
    document.title = `${sweep ? sweepTitle(sweep) : id} – Trainyard`;
    if (sweep && last.current && last.current !== sweep.state) announce(`${sweepTitle(sweep)} is now ${sweep.state}`);
    last.current = sweep?.state ?? null;
  }, [id, sweep]);
}

// What a search has found: its best path, its candidates as drawings and as a table; live while it goes on.

import { useEffect } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePages } from "../../api/pages.js";
import { usePolled } from "../../api/polled.js";
import { Definitions } from "../../parts/definitions.js";
import { html } from "../../parts/html.js";
import { PathKey, PathStrip } from "../../parts/path_strip.js";
import { Problem } from "../../parts/problem.js";
import { isEnded } from "../../parts/states.js";
import { addressOf, route } from "../../state/route.js";
import { fitnessText, fitnessTitle, millions } from "../../text/candidates.js";
import { shortId } from "../../text/checkpoints.js";
import { count, NONE } from "../../text/format.js";
import { choicesOf, spaceOf, spacesOf, stagesOf } from "../../text/paths.js";
import { CandidateTable } from "./candidate_table.js";
import { TrainThis } from "./candidate_line.js";
import { ParentHeat } from "./parent_heat.js";
import { SearchGenerations } from "./search_generations.js";
import { SearchScatter } from "./search_scatter.js";

const POLL_MS = 3_000;
const ENDED_POLL_MS = 60_000;
const RARELY_MS = 3_600_000;
const MOST_OF_A_PAGE = 1_000;

/** @param {{job: any, isGone: boolean}} props */
export function SearchPanel({ job, isGone }) {
  const path = jobPath(job.id);
  const everyMs = isEnded(job) ? ENDED_POLL_MS : POLL_MS;
  const { value: summary, error } = usePolled(`${path}/search`, everyMs, `${job.state} ${job.progress.step}`);
  const list = usePages(`${path}/candidates?order_by=order&limit=${MOST_OF_A_PAGE}`, everyMs);
  const paths = usePolled(summary?.recipe ? `recipes/${encodeURIComponent(summary.recipe)}` : null, RARELY_MS);
  // The drawing and the order of the table are those of all candidates.
  useEffect(() => {
    if (list.hasMore) list.more();
  }, [list.items.length, list.hasMore]);
  // What is measured is drawn at once, as the summary has it.
  useEffect(() => list.refresh(), [summary?.evaluated, job.state]);
  // Paths that are shown before their stages are known would move what is below them.
  const isReady = summary && (!summary.recipe || paths.value || paths.error);
  const search = isReady && { job, summary, candidates: list.items, stages: stagesIn(paths.value, summary), generations: generationsOf(job) };
  return html`
    <${Problem} of="Search" error=${isGone ? null : error} />
    <${Problem} of="Candidates" error=${isGone ? null : list.error} />
    ${search ? html`<${Found} search=${search} />` : !error && html`<div class="search-place" aria-busy="true"></div>`}
  `;
}

const GIVEN_PATHS = "/spec/params/candidates";

/** How many there will be; 0 for paths that a user gave, which a short job is without. */
const generationsOf = ({ spec: { params }, left_out: leftOut }) => (leftOut?.[GIVEN_PATHS] || params.candidates ? 0 : params.generations);

/** The stages of the paths of a search. */
const stagesIn = (recipe, { places, space }) => stagesOf(spaceOf(spacesOf(recipe), { blocks: "0".repeat(places), space }));

/** @param {{search: import("./search_scatter.js").Search}} props */
function Found({ search }) {
  return html`
    <section class="figures search-figures"><h2 class="unseen">Search</h2><${Definitions} entries=${figuresOf(search)} /></section>
    <${Best} search=${search} />
    <${SearchScatter} search=${search} />
    <div class="charts">
      ${search.generations > 0 && html`<${SearchGenerations} search=${search} />`}
      <${ParentHeat} search=${search} />
    </div>
    <${CandidateTable} search=${search} query=${route.value.query} />
  `;
}

/** @param {import("./search_scatter.js").Search} search */
function figuresOf({ job, summary, generations }) {
  const { best, fitness } = summary;
  const generation = Math.max(0, ...summary.generations.map(({ number }) => number));
  const { least_multiply_adds: least, most_multiply_adds: most } = summary;
  return [
    { name: "Candidates", value: `${count(summary.evaluated)} of ${count(summary.total)}` },
    { name: "Generation", value: generations ? `${count(generation)} of ${count(generations)}` : NONE },
    { name: `Best ${fitnessTitle(fitness).toLowerCase()}`, value: best ? fitnessText(best, fitness) : NONE },
    { name: "Its multiply-adds", value: best ? millions(best.multiply_adds) : NONE, title: best && count(best.multiply_adds) },
    ...(summary.workers > 1 ? [{ name: "Workers", value: html`<a href=${addressOf(["jobs"], { label: `part_of:${job.id}` })}>${count(summary.workers)}, the jobs of its parts</a>` }] : []),
    { name: "Limit", value: millions(summary.macs_limit), title: count(summary.macs_limit) },
    { name: "Of all paths", value: least === null ? NONE : `${millions(least, 3).replace(/ M$/, "")} to ${millions(most, 3)}`, title: least === null ? undefined : `${count(least)} to ${count(most)} multiply-adds` },
  ];
}

/** @param {{search: import("./search_scatter.js").Search}} props */
function Best({ search }) {
  const { job, summary, stages } = search;
  const { best } = summary;
  return html`
    <section class="panel search-best">
      <div class="panel-head"><h2>Best path</h2>${best && html`<${TrainThis} search=${search} candidate=${best} />`}</div>
      ${best
        ? html`
            <${PathStrip} blocks=${best.blocks} stages=${stages} />
            <p class="quiet"><code>${best.blocks}</code>${job.latest_checkpoint && html` · <${Network} id=${job.latest_checkpoint} />`}</p>
          `
        : html`<p class="quiet">No candidate is measured yet: the first appear when a worker has evaluated them.</p>`}
      <${PathKey} choices=${choicesOf(summary.choices)} />
    </section>
  `;
}

const Network = ({ id }) => html`<a href=${addressOf(["checkpoints", id])} title=${id}>as a network of its own, ${shortId(id)}</a>`;

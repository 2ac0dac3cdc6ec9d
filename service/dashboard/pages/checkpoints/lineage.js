// The lineage of a checkpoint, drawn from where it comes from down to what came of it.

import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { addressOf } from "../../state/route.js";
import { shortId, stepTitle } from "../../text/checkpoints.js";
import { counted, errorRate, words } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";
import { branchesOf, groupsOf, originOf } from "./lineage_groups.js";

const MOST_LINKS = 8;

/** @param {{lineage: import("../../api/types").Lineage, job: import("../../api/types").Job | null}} props */
export function LineageDrawing({ lineage, job }) {
  const { checkpoint, ancestors, children, uses } = lineage;
  const groups = groupsOf(ancestors).reverse();
  const branches = branchesOf(children, uses);
  return html`
    <section class="panel lineage">
      <h2>Lineage</h2>
      <ol aria-label="Where it comes from">
        <li class="node origin">${originOf(lineage, job)}</li>
        ${groups.map((group) => html`<${Group} key=${group.entries[0].id} group=${group} isOwn=${group.job_id === checkpoint.job_id} />`)}
        <li class="node this" aria-current="true"><b>This checkpoint</b> <span>${stepTitle(checkpoint)} of ${lineage.spec ? html`<${JobLink} id=${checkpoint.job_id} />` : html`job ${shortId(checkpoint.job_id)}`}</span></li>
      </ol>
      ${branches.length
        ? html`<ul class="branches" aria-label="What came from it">${branches.map((branch) => html`<${Branch} key=${branch.key} branch=${branch} own=${checkpoint.job_id} />`)}</ul>`
        : html`<p class="quiet">Nothing has come from it yet.</p>`}
    </section>
  `;
}

const JobLink = ({ id }) => html`<a href=${addressOf(["jobs", id])} title=${id}>job ${shortId(id)}</a>`;

/** Checkpoints of one job in a row: those that are kept are links. */
function Group({ group, isOwn }) {
  return html`
    <li class="node">
      <span>${isOwn ? "Earlier in this job" : html`<${JobLink} id=${group.job_id} /> <small>${group.recipe} ${group.variant}</small>`}</span>
      <${Entries} entries=${group.entries} />
    </li>
  `;
}

function Entries({ entries }) {
  const kept = entries.filter(({ state }) => state === "published" || state === "damaged");
  const removed = entries.length - kept.length;
  const left = kept.length - MOST_LINKS;
  return html`
    <span class="entries">
      ${kept.slice(-MOST_LINKS).map((entry) => html`<a key=${entry.id} class="tag" href=${addressOf(["checkpoints", entry.id])} title=${entry.id}>${stepTitle(entry)}</a>`)}
      ${left > 0 && html`<small>and ${counted(left, "earlier one", "earlier ones")}</small>`}
      ${removed > 0 && html`<small>${counted(removed, "removed one", "removed ones")}</small>`}
    </span>
  `;
}

function Branch({ branch, own }) {
  const { use, entries } = branch;
  if (!use) {
    return html`
      <li class="node">
        <span>${branch.job_id === own ? "Later in this job" : html`<${JobLink} id=${branch.job_id} />`}</span>
        <${Entries} entries=${entries} />
      </li>
    `;
  }
  const top1 = errorRate(use.metrics.top1_error);
  return html`
    <li class="node" data-kind=${use.kind}>
      <span><small>${words(use.kind)}</small> <a href=${addressOf(["jobs", use.job_id])} title=${use.job_id}>${titleOf({ id: use.job_id, name: use.name })}</a></span>
      <span><${Badge} state=${use.state} /> ${use.kind === "eval" && use.state === "succeeded" && html`<small>top-1 error ${top1}</small>`}</span>
      ${entries.length > 0 && html`<${Entries} entries=${entries} />`}
    </li>
  `;
}

// The trials of a sweep that have begun, as a table that is sorted by its heads.

import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Table } from "../../parts/table.js";
import { addressOf, changeQuery } from "../../state/route.js";
import { shortId } from "../../text/checkpoints.js";
import { count, namedMetric, NONE } from "../../text/format.js";
import { metricOf, parametersText, valueTitle } from "../../text/sweeps.js";
import { ordered, orderOf } from "./trial_order.js";

export function TrialTable({ sweep, trials, query }) {
  const order = orderOf(query);
  const metric = metricOf(sweep);
  const best = sweep.best?.number;
  const columns = [
    { ...sortable(order, "Trial", "number"), cell: ({ number }) => html`${number}${number === best && html` <span class="tag">best</span>`}` },
    { name: "Parameters", cell: ({ parameters }) => parametersText(parameters) },
    { name: "State", cell: (trial) => html`<${State} trial=${trial} />` },
    { ...sortable(order, valueTitle(sweep), "value"), kind: "figure", cell: ({ value }) => namedMetric(metric, value) },
    { name: "Steps", kind: "figure", cell: ({ steps }) => count(steps) },
    { name: "Job", cell: (trial) => html`<${JobLink} trial=${trial} />` },
  ];
  return html`
    <${Table} label="Trials" columns=${columns} rows=${ordered(trials, order)} keyOf=${({ number }) => number} attributesOf=${({ number }) => ({ "data-trial": number })} />
  `;
}

/** A column whose head sorts by it; once more, the other way round. */
function sortable({ key, isFalling }, name, sortKey) {
  const isSorted = key === sortKey;
  const next = isSorted && !isFalling ? `-${sortKey}` : sortKey;
  return {
    name,
    sort: isSorted ? (isFalling ? "descending" : "ascending") : undefined,
    head: html`<button type="button" class="sort" onClick=${() => changeQuery({ sort: next === "number" ? null : next })}>${name}</button>`,
  };
}

/** What became of it; of a live one, the state of its job. */
function State({ trial: { state, job_state: jobState, message } }) {
  return html`<${Badge} state=${state === "live" ? jobState ?? state : state} />${message && html` <small>${message}</small>`}`;
}

/** The link to its job, while that is there. */
function JobLink({ trial: { job_id: id, job_state: state } }) {
  if (!id) return NONE;
  return state ? html`<a href=${addressOf(["jobs", id])} title=${id}>${shortId(id)}</a>` : html`<span title=${id}>deleted</span>`;
}

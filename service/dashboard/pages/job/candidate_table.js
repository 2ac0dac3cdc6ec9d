// The candidates of a search as a table that is sorted by its heads, a page at a time.

import { useMemo } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { CsvLink } from "../../parts/csv_link.js";
import { html } from "../../parts/html.js";
import { PathStrip } from "../../parts/path_strip.js";
import { Table } from "../../parts/table.js";
import { changeQuery } from "../../state/route.js";
import { fitnessTitle, millions, originText } from "../../text/candidates.js";
import { count, errorRate, metric } from "../../text/format.js";
import { TrainThis } from "./candidate_line.js";
import { DEFAULT_ORDER, ordered, orderOf, PAGE, pageOf } from "./candidate_order.js";

/** @param {{search: import("./search_scatter.js").Search, query: URLSearchParams}} props */
export function CandidateTable({ search, query }) {
  const { job, summary, candidates } = search;
  const order = orderOf(query);
  const { page, pages } = pageOf(query, candidates.length);
  const rows = useMemo(() => ordered(candidates, order, summary.fitness), [candidates, order.key, order.isFalling, summary.fitness]);
  const shown = rows.slice((page - 1) * PAGE, page * PAGE);
  return html`
    <section class="panel candidates">
      <div class="panel-head">
        <h2>Candidates</h2>
        <${OrderChoice} order=${order} />
        <${CsvLink} of="Candidates" path=${`${jobPath(job.id)}/candidates.csv`} />
      </div>
      ${candidates.length
        ? html`<${Table} label="Candidates" columns=${columnsOf(search, order)} rows=${shown} keyOf=${({ blocks }) => blocks} attributesOf=${({ blocks }) => ({ "data-candidate": blocks })} />`
        : html`<p class="quiet">No candidate is measured yet.</p>`}
      ${pages > 1 && html`<${Pages} page=${page} pages=${pages} total=${candidates.length} />`}
    </section>
  `;
}

function columnsOf(search, order) {
  const { summary, stages } = search;
  const isLoss = summary.fitness === "loss";
  const front = new Set(summary.front.map(({ blocks }) => blocks));
  const tagsOf = ({ blocks }) => [blocks === summary.best?.blocks && "best", front.has(blocks) && "front"].filter(Boolean);
  const loss = ({ loss: value }) => (value === null ? "not finite" : metric(value));
  const byFitness = (name) => sortable(order, name, "fitness");
  return [
    {
      ...sortable(order, "Order", "order"),
      kind: "nth",
      cell: (each) => html`${count(each.order + 1)} <span class="tags">${tagsOf(each).map((tag) => html`<span key=${tag} class="tag">${tag}</span>`)}</span>`,
    },
    { name: "Path", kind: "path", cell: ({ blocks }) => html`<${PathStrip} blocks=${blocks} stages=${stages} />` },
    { ...(isLoss ? { name: "Top-1 error" } : byFitness(fitnessTitle("error"))), kind: "figure", cell: ({ top1_error: error }) => errorRate(error) },
    { name: "Top-5 error", kind: "figure", cell: ({ top5_error: error }) => errorRate(error) },
    { ...(isLoss ? byFitness(fitnessTitle("loss")) : { name: fitnessTitle("loss") }), kind: "figure", cell: loss },
    { ...sortable(order, "Multiply-adds", "multiply_adds"), kind: "figure", cell: ({ multiply_adds: cost }) => html`<span title=${count(cost)}>${millions(cost)}</span>` },
    { name: "Generation", cell: (each) => (each.generation > 0 ? html`${count(each.generation)} <small>${originText(each)}</small>` : "given") },
    { name: "Train", kind: "train", head: html`<span class="unseen">Train</span>`, cell: (each) => html`<${TrainThis} search=${search} candidate=${each} />` },
  ];
}

const ORDERS = [["fitness", "the best first"], ["order", "as the search asks"], ["multiply_adds", "the smallest first"]];

/** On a narrow page a table has no heads. */
function OrderChoice({ order: { key, isFalling } }) {
  const orders = isFalling ? [[`-${key}`, "the other way round"], ...ORDERS] : ORDERS;
  const choose = ({ currentTarget: { value } }) => changeQuery({ sort: value === DEFAULT_ORDER ? null : value, page: null });
  return html`
    <label class="order"><span class="unseen">Order</span>
      <select value=${isFalling ? `-${key}` : key} onChange=${choose}>${orders.map(([value, title]) => html`<option key=${value} value=${value}>${title}</option>`)}</select>
    </label>
  `;
}

/** A column whose head sorts by it; once more, the other way round. */
function sortable({ key, isFalling }, name, sortKey) {
  const isSorted = key === sortKey;
  const next = isSorted && !isFalling ? `-${sortKey}` : sortKey;
  const sort = () => changeQuery({ sort: next === DEFAULT_ORDER ? null : next, page: null });
  return {
    name,
    sort: isSorted ? (isFalling ? "descending" : "ascending") : undefined,
    head: html`<button type="button" class="sort" onClick=${sort}>${name}</button>`,
  };
}

function Pages({ page, pages, total }) {
  const to = (number) => () => changeQuery({ page: number === 1 ? null : String(number) });
  return html`
    <nav class="list-pages" aria-label="Pages of candidates">
      <button type="button" class="button" disabled=${page === 1} onClick=${to(page - 1)}>Previous</button>
      <span role="status">${count((page - 1) * PAGE + 1)} to ${count(Math.min(page * PAGE, total))} of ${count(total)}</span>
      <button type="button" class="button" disabled=${page === pages} onClick=${to(page + 1)}>Next</button>
    </nav>
  `;
}

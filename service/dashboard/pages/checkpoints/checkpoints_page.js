// The page of all checkpoints: those that are kept, and folded, those that are removed.

import { useEffect, useState } from "../../vendor/preact.js";
import { usePolled } from "../../api/polled.js";
import { usePages } from "../../api/pages.js";
import { lacksRole } from "../../api/session.js";
import { CsvLink } from "../../parts/csv_link.js";
import { html } from "../../parts/html.js";
import { LoadMore } from "../../parts/load_more.js";
import { Problem } from "../../parts/problem.js";
import { changeQuery } from "../../state/route.js";
import { CheckpointTable } from "./checkpoint_table.js";
import { Filters } from "./filters.js";
import { ImportDialog } from "./import_dialog.js";
import { bestMetric, bestPath, exportQuery, isNarrowed, latestPath, listPath } from "./query.js";

const POLL_MS = 5_000;
const REMOVED_POLL_MS = 30_000;

export function CheckpointsPage({ query }) {
  useEffect(() => {
    document.title = "Checkpoints – Trainyard";
  }, []);
  const path = listPath(query);
  const list = usePages(path, POLL_MS);
  const isBusy = list.isOf !== path;
  const marks = useMarks(query, isBusy ? [] : list.items);
  return html`
    <div class="page-head"><h1>Checkpoints</h1><span class="list-tools"><${CsvLink} of="These checkpoints" path="exports/checkpoints.csv" query=${exportQuery(query)} /><${ImportButton} /></span></div>
    <${Filters} query=${query} items=${list.items} />
    <${Problem} of="Checkpoints" error=${list.error} />
    <section class="checkpoint-list" aria-label="Kept checkpoints" aria-busy=${isBusy}>
      ${list.items.length > 0 && html`<${CheckpointTable} label="Checkpoints" list=${list} query=${query} marks=${marks} />`}
      ${!isBusy && !list.error && !list.items.length && html`<${Nothing} query=${query} />`}
      ${!isBusy && list.hasMore && html`<${LoadMore} count=${list.items.length} more=${list.more} />`}
    </section>
    ${!query.get("state") && html`<${Removed} query=${query} />`}
  `;
}

/** The ids of the latest and of the best checkpoint, if one of those that are shown can be it. */
function useMarks(query, items) {
  const published = items.filter(({ state }) => state === "published");
  const metric = bestMetric(query);
  const isMeasured = published.some(({ metrics }) => metric in metrics);
  const latest = usePolled(published.length ? latestPath(query) : null, POLL_MS, published[0]?.id);
  const best = usePolled(isMeasured ? bestPath(query) : null, POLL_MS, published[0]?.id);
  return { latest: latest.value?.id ?? null, best: best.value?.id ?? null, metric };
}

function Nothing({ query }) {
  if (isNarrowed(query)) {
    return html`<div class="empty"><h2>No checkpoint is kept that fits</h2><p><a href="#/checkpoints">Show all</a></p></div>`;
  }
  return html`
    <div class="empty">
      <h2>No checkpoints yet</h2>
      <p>A training saves them at its save interval and at its end. Weights of another program can be imported.</p>
    </div>
  `;
}

function Removed({ query }) {
  const isOpen = query.get("removed") === "1";
  const toggle = (event) => {
    if (event.target.open !== isOpen) changeQuery({ removed: event.target.open ? "1" : null });
  };
  return html`
    <details class="removed" open=${isOpen} onToggle=${toggle}>
      <summary>Removed checkpoints</summary>
      ${isOpen && html`<${RemovedList} query=${query} />`}
    </details>
  `;
}

function RemovedList({ query }) {
  const path = listPath(query, { isRemoved: true });
  const list = usePages(path, REMOVED_POLL_MS);
  const isBusy = list.isOf !== path;
  return html`
    <section class="checkpoint-list" aria-label="Removed checkpoints" aria-busy=${isBusy}>
      <${Problem} of="Removed checkpoints" error=${list.error} />
      ${list.items.length > 0 && html`<${CheckpointTable} label="Removed checkpoints" list=${list} query=${query} marks=${NO_MARKS} />`}
      ${!isBusy && !list.error && !list.items.length && html`<p class="quiet">None: every checkpoint that fits is kept.</p>`}
      ${!isBusy && list.hasMore && html`<${LoadMore} count=${list.items.length} more=${list.more} />`}
    </section>
  `;
}

const NO_MARKS = { latest: null, best: null, metric: null };

function ImportButton() {
  const [isAsked, setAsked] = useState(false);
  if (lacksRole("user")) return null;
  return html`
    <button type="button" class="button" onClick=${() => setAsked(true)}>Import…</button>
    ${isAsked && html`<${ImportDialog} onClose=${() => setAsked(false)} />`}
  `;
}

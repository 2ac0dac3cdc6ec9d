// The page of the workers: what they have, how busy they are, and what runs there.

import { useEffect, useMemo } from "../../vendor/preact.js";
import { usePolled } from "../../api/polled.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { EndedWorkers } from "./ended_workers.js";
import { Filters } from "./filters.js";
import { activityCounts, chosenWorkers, orderedWorkers } from "./worker_order.js";
import { WorkerTable } from "./worker_table.js";

const POLL_MS = 5_000;

export function WorkersPage({ query }) {
  const { value, error, refresh } = usePolled("workers", POLL_MS);
  useEffect(() => {
    document.title = "Workers – Trainyard";
  }, []);
  return html`
    <div class="page-head">
      <h1>Workers</h1>
      ${value?.data.length > 0 && html`<${Filters} query=${query} counts=${activityCounts(value.data)} />`}
    </div>
    <${Problem} of="Workers" error=${error} />
    ${value && (value.data.length ? html`<${Chosen} workers=${value.data} query=${query} refresh=${refresh} />` : html`<${NoWorkers} />`)}
    <${EndedWorkers} />
  `;
}

function Chosen({ workers, query, refresh }) {
  const [activity, text, order] = [query.get("state"), query.get("q") ?? "", query.get("sort") ?? "host"];
  const shown = useMemo(
    () => orderedWorkers(chosenWorkers(workers, activity, text), order),
    [workers, activity, text, order],
  );
  if (!shown.length) return html`<div class="empty"><p>No worker is like this. <a href="#/workers">Show all workers</a></p></div>`;
  return html`<${WorkerTable} workers=${shown} order=${order} unfolded=${new Set(query.getAll("open"))} refresh=${refresh} />`;
}

function NoWorkers() {
  return html`
    <div class="empty">
      <h2>No workers</h2>
      <p>Jobs wait until one is started: <code>trainyard worker --server ${new URL(".", document.baseURI).href}</code></p>
    </div>
  `;
}

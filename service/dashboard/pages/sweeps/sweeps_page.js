// The page of the sweeps: how far each is, and the best of each.

import { useEffect } from "../../vendor/preact.js";
import { usePages } from "../../api/pages.js";
import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { Bar } from "../../parts/bar.js";
import { html } from "../../parts/html.js";
import { LoadMore } from "../../parts/load_more.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { addressOf } from "../../state/route.js";
import { count, namedMetric, NONE } from "../../text/format.js";
import { doneText, fractionOf, methodOf, metricOf, parametersText, sweepTitle } from "../../text/sweeps.js";

const POLL_MS = 5_000;
const PATH = "sweeps?limit=20";

export function SweepsPage() {
  const list = usePages(PATH, POLL_MS);
  useEffect(() => {
    document.title = "Sweeps – Trainyard";
  }, []);
  const isBusy = list.isOf !== PATH;
  return html`
    <div class="page-head"><h1>Sweeps</h1></div>
    <section aria-label="Sweeps" aria-busy=${isBusy}>
      <${Problem} of="Sweeps" error=${list.error} />
      ${list.items.length > 0 && html`<div class="panel sweeps"><${Table} label="Sweeps" columns=${COLUMNS} rows=${list.items} keyOf=${({ id }) => id} /></div>`}
      ${!isBusy && !list.error && !list.items.length && html`<${NoSweeps} />`}
      ${!isBusy && list.hasMore && html`<${LoadMore} count=${list.items.length} more=${list.more} />`}
    </section>
  `;
}

const COLUMNS = [
  { name: "Sweep", cell: (sweep) => html`<a href=${addressOf(["sweeps", sweep.id])} title=${sweep.id}>${sweepTitle(sweep)}</a>` },
  { name: "State", cell: ({ state }) => html`<${Badge} state=${state} />` },
  { name: "Method", cell: methodOf },
  { name: "Done", kind: "done", cell: (sweep) => html`<${Done} sweep=${sweep} />` },
  { name: "Best", cell: (sweep) => html`<${Best} sweep=${sweep} />` },
  { name: "Steps", kind: "figure", cell: ({ steps }) => count(steps) },
  { name: "Created", cell: ({ created_at: at }) => html`<${Ago} at=${at} />` },
];

function Done({ sweep }) {
  return html`
    <${Bar} label=${`Trials done of ${sweepTitle(sweep)}`} fraction=${fractionOf(sweep)} state=${sweep.state} />
    <small>${doneText(sweep)}</small>
  `;
}

function Best({ sweep }) {
  const { best } = sweep;
  if (!best) return NONE;
  return html`${namedMetric(metricOf(sweep), best.value)} <small>${parametersText(best.parameters)}</small>`;
}

function NoSweeps() {
  return html`
    <div class="empty">
      <h2>No sweeps yet</h2>
      <p>
        A sweep is many trainings over values of parameters. <code>trainyard sweep create -f sweep.yaml</code> makes
        one. <a href="guide/sweeps/">How it works</a>
      </p>
    </div>
  `;
}

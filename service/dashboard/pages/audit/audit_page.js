// The page of the audit list: who has changed what, for admins.

import { useEffect } from "../../vendor/preact.js";
import { usePages } from "../../api/pages.js";
import { Ago } from "../../parts/ago.js";
import { html } from "../../parts/html.js";
import { LoadMore } from "../../parts/load_more.js";
import { Problem } from "../../parts/problem.js";
import { Table } from "../../parts/table.js";
import { addressOf } from "../../state/route.js";
import { NONE } from "../../text/format.js";
import { Filters, listPath } from "./filters.js";

const POLL_MS = 10_000;

export function AuditPage({ query }) {
  const path = listPath(query);
  const list = usePages(path, POLL_MS);
  useEffect(() => {
    document.title = "Audit – Trainyard";
  }, []);
  const isBusy = list.isOf !== path;
  return html`
    <div class="page-head"><h1>Audit</h1></div>
    <${Filters} query=${query} />
    <section class="audit" aria-label="Entries" aria-busy=${isBusy}>
      <${Problem} of="Audit" error=${list.error} />
      ${list.items.length > 0 && html`<${Entries} entries=${list.items} />`}
      ${!isBusy && !list.error && !list.items.length && html`<p class="quiet">Nothing that fits was changed.</p>`}
      ${!isBusy && list.hasMore && html`<${LoadMore} count=${list.items.length} more=${list.more} />`}
    </section>
  `;
}

const COLUMNS = [
  { name: "Time", cell: ({ created_at: at }) => html`<${Ago} at=${at} />` },
  { name: "Who", cell: (entry) => html`<${Who} entry=${entry} />` },
  { name: "Action", cell: ({ action }) => html`<a href=${addressOf(["audit"], { action })}>${action}</a>` },
  { name: "What", cell: (entry) => html`<${Subject} entry=${entry} />` },
  { name: "Detail", cell: ({ detail }) => detail ?? NONE },
  { name: "Request", cell: (entry) => html`<code>${entry.request_id ?? NONE}</code><small>${entry.address}</small>` },
];

function Entries({ entries }) {
  return html`<div class="panel"><${Table} label="Audit" columns=${COLUMNS} rows=${entries} keyOf=${({ number }) => number} /></div>`;
}

function Who({ entry: { actor, role } }) {
  const who = actor ? html`<a href=${addressOf(["audit"], { actor })}>${actor}</a>` : role ? "this machine" : "a stranger";
  return html`${who}${role && html`<small>${role}</small>`}`;
}

/** Jobs, checkpoints and sweeps have pages, of others all that was done with them is shown. */
function Subject({ entry: { action, subject } }) {
  if (!subject) return NONE;
  const kind = /^(job|ckpt|swp)_/.exec(subject)?.[1];
  const page = { job: ["jobs", subject], ckpt: ["checkpoints", subject], swp: ["sweeps", subject] }[kind];
  const isThere = page && !action.endsWith(".delete");
  return html`
    <a href=${addressOf(["audit"], { subject })} title="All that was done with it">${subject}</a>
    ${isThere && html`<small><a href=${addressOf(page)}>Its page</a></small>`}
  `;
}

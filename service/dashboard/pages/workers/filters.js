// What narrows the list of workers: a text, and what they do.

import { html } from "../../parts/html.js";
import { addressOf, changeQuery } from "../../state/route.js";
import { count } from "../../text/format.js";

const ORDERS = [
  ["host", "Host"],
  ["state", "State"],
  ["jobs", "Jobs"],
  ["gpu", "GPU use"],
  ["cpu", "CPU"],
  ["memory", "Memory"],
  ["disk", "Disk"],
  ["seen", "Last seen"],
];

export function Filters({ query, counts }) {
  const total = counts.reduce((sum, { many }) => sum + many, 0);
  const current = query.get("state");
  const offered = counts.filter(({ activity, many }) => many || activity === current);
  const find = (event) => changeQuery({ q: event.currentTarget.value });
  return html`
    <div class="worker-filters">
      <input type="search" class="find" aria-label="Find workers" placeholder="Host, label, GPU, job" value=${query.get("q") ?? ""} onInput=${find} />
      <label class="narrow-sort">Sort by
        <select value=${query.get("sort") ?? "host"} onChange=${(event) => changeQuery({ sort: event.currentTarget.value })}>
          ${ORDERS.map(([order, name]) => html`<option key=${order} value=${order}>${name}</option>`)}
        </select>
      </label>
      <nav class="filters" aria-label="Workers by what they do">
        <${Choice} query=${query} activity=${null} name="all" many=${total} isCurrent=${!current} />
        ${offered.map(
          ({ activity, many }) =>
            html`<${Choice} key=${activity} query=${query} activity=${activity} name=${activity} many=${many} isCurrent=${activity === current} />`,
        )}
      </nav>
    </div>
  `;
}

function Choice({ query, activity, name, many, isCurrent }) {
  const kept = { q: query.get("q"), sort: query.get("sort"), open: query.getAll("open") };
  const href = addressOf(["workers"], { ...kept, state: activity });
  return html`<a href=${href} aria-current=${isCurrent ? "true" : null}>${name} <span class="many">${count(many)}</span></a>`;
}

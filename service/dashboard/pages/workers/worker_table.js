// The table of the workers; a row unfolds.

import { html } from "../../parts/html.js";
import { changeQuery } from "../../state/route.js";
import { WorkerRow } from "./worker_row.js";

/** `first` is the direction of an order by its name alone. */
const COLUMNS = [
  { name: "Host", order: "host", first: "ascending" },
  { name: "State", order: "state", first: "ascending" },
  { name: "Runs", order: "jobs", first: "descending" },
  { name: "GPUs", order: "gpu", first: "descending" },
  { name: "CPU", order: "cpu", first: "descending" },
  { name: "Memory", order: "memory", first: "descending" },
  { name: "Disk", order: "disk", first: "descending" },
  { name: "Last seen", order: "seen", first: "descending" },
];
const OPPOSITE = { ascending: "descending", descending: "ascending" };

export function WorkerTable({ workers, order, unfolded, refresh }) {
  const toggle = (id) => {
    const ids = new Set(unfolded);
    if (!ids.delete(id)) ids.add(id);
    changeQuery({ open: [...ids] });
  };
  return html`
    <section class="panel workers" aria-label="Workers">
      <table role="table" aria-label="Workers" class="worker-table">
        <thead role="rowgroup">
          <tr role="row">${COLUMNS.map((column) => html`<${Heading} key=${column.order} ...${column} current=${order} />`)}</tr>
        </thead>
        <tbody role="rowgroup">
          ${workers.map(
            (worker) =>
              html`<${WorkerRow} key=${worker.id} worker=${worker} isUnfolded=${unfolded.has(worker.id)} onToggle=${toggle} columns=${COLUMNS.length} refresh=${refresh} />`,
          )}
        </tbody>
      </table>
    </section>
  `;
}

function Heading({ name, order, first, current }) {
  const direction = current === order ? first : current === `-${order}` ? OPPOSITE[first] : null;
  const next = current === order ? `-${order}` : order;
  return html`
    <th scope="col" role="columnheader" aria-sort=${direction}>
      <button type="button" class="sort" onClick=${() => changeQuery({ sort: next })}>${name}</button>
    </th>
  `;
}

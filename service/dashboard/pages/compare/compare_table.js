// A table of jobs in columns and of what differs between them in rows.

import { html } from "../../parts/html.js";
import { changeQuery } from "../../state/route.js";
import { titleOf } from "../../text/job_title.js";
import { differing, rowsOf, rowTitle } from "./differences.js";

const GROUPS = { job: "Jobs", parameter: "Parameters", label: "Labels", result: "Results" };

export function CompareTable({ jobs, showsAll }) {
  const all = rowsOf(jobs);
  const shown = showsAll ? all : differing(all);
  const change = (event) => changeQuery({ all: event.currentTarget.checked ? "1" : null });
  return html`
    <section class="panel">
      <div class="panel-head">
        <h2>Differences</h2>
        <label class="quiet"><input type="checkbox" checked=${showsAll} onChange=${change} /> What is equal, too</label>
      </div>
      ${shown.length ? html`<${Rows} jobs=${jobs} rows=${shown} />` : html`<p class="quiet">These jobs differ in nothing.</p>`}
    </section>
  `;
}

function Rows({ jobs, rows }) {
  return html`
    <div class="compare-table scrolled" tabindex="0" role="region" aria-label="Differences">
      <table>
        <thead>
          <tr>
            <td></td>
            ${jobs.map((job, line) => html`<th key=${job.id} scope="col" data-line=${(line % 8) + 1}><span title=${job.id}>${titleOf(job)}</span></th>`)}
          </tr>
        </thead>
        ${Object.entries(GROUPS).map(([group, title]) => {
          const own = rows.filter((row) => row.group === group);
          return own.length > 0 && html`<${Group} key=${group} title=${title} rows=${own} width=${jobs.length + 1} />`;
        })}
      </table>
    </div>
  `;
}

function Group({ title, rows, width }) {
  return html`
    <tbody>
      <tr><th scope="rowgroup" class="group" colspan=${width}>${title}</th></tr>
      ${rows.map(
        (row) => html`
          <tr key=${row.name}>
            <th scope="row">${rowTitle(row)}</th>
            ${row.texts.map((text, index) => html`<td key=${index}>${text}</td>`)}
          </tr>
        `,
      )}
    </tbody>
  `;
}

// The evaluations of a checkpoint, the newest first.

import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Table } from "../../parts/table.js";
import { addressOf } from "../../state/route.js";
import { namedMetric, validationTitle } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";
import { METRICS } from "./query.js";

const COLUMNS = [
  { name: "Job", cell: (use) => html`<a href=${addressOf(["jobs", use.job_id])} title=${use.job_id}>${titleOf({ id: use.job_id, name: use.name })}</a>` },
  { name: "State", cell: ({ state }) => html`<${Badge} state=${state} />` },
  ...METRICS.map((name) => ({
    name: validationTitle(name),
    kind: "figure",
    cell: ({ metrics }) => namedMetric(name, metrics[name]),
  })),
  { name: "Submitted", cell: ({ created_at: at }) => html`<${Ago} at=${at} />` },
];

/** @param {{uses: import("../../api/types").CheckpointUse[]}} props */
export function Evaluations({ uses }) {
  const evaluations = uses.filter(({ kind }) => kind === "eval").reverse();
  return html`
    <section class="panel">
      <h2>Evaluations</h2>
      ${evaluations.length
        ? html`<${Table} label="Evaluations" columns=${COLUMNS} rows=${evaluations} keyOf=${({ job_id: id }) => id} />`
        : html`<p class="quiet">It has not been evaluated by a job of its own.</p>`}
    </section>
  `;
}

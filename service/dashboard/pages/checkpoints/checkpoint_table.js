// Checkpoints as a table that is sorted by its heads, with pins and tags that are changed in place.

import { Ago } from "../../parts/ago.js";
import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { Table } from "../../parts/table.js";
import { addressOf, changeQuery } from "../../state/route.js";
import { shortId, stepTitle } from "../../text/checkpoints.js";
import { bytes, count, namedMetric, validationTitle } from "../../text/format.js";
import { Pin } from "./pin.js";
import { DEFAULT_ORDER, METRICS, orderOf } from "./query.js";
import { Tags } from "./tags.js";

/** `list` is what `usePages` gives; `marks` has the ids of the latest and of the best. */
export function CheckpointTable({ label, list, query, marks }) {
  return html`
    <${Table}
      label=${label}
      columns=${columnsOf(query, marks, list.refresh)}
      rows=${list.items}
      keyOf=${({ id }) => id}
      attributesOf=${({ id, state }) => ({ "data-checkpoint": id, "data-state": state })}
    />
  `;
}

const columnsOf = (query, marks, refresh) => [
  {
    ...sortable(query, "Step", "step", "-step"),
    kind: "step",
    cell: (checkpoint) => html`
      <a href=${addressOf(["checkpoints", checkpoint.id])} title=${checkpoint.id}>${count(checkpoint.step)}</a>
      <${Marks} checkpoint=${checkpoint} marks=${marks} />
    `,
  },
  { name: "Network", kind: "network", cell: ({ recipe, variant }) => html`${recipe} <small>${variant}</small>` },
  {
    name: "Job",
    kind: "job-link",
    cell: ({ job_id: id }) => html`<a href=${addressOf(["jobs", id])} title=${id}>${shortId(id)}</a>`,
  },
  ...METRICS.map((name) => ({
    ...sortable(query, validationTitle(name), `metrics.${name}`, `metrics.${name}`),
    kind: "figure",
    cell: ({ metrics }) => namedMetric(name, metrics[name]),
  })),
  { name: "Size", kind: "figure", cell: (checkpoint) => bytes(checkpoint.bytes) },
  {
    ...sortable(query, "Saved", "created_at", "-created_at"),
    kind: "saved",
    cell: ({ created_at: at }) => html`<${Ago} at=${at} />`,
  },
  {
    name: "Pins and tags",
    kind: "marks",
    cell: (checkpoint) => html`
      <${Pin} checkpoint=${checkpoint} afterwards=${refresh} /> <${Tags} checkpoint=${checkpoint} afterwards=${refresh} />
    `,
  },
];

/** A column whose head sorts by it; once more, the other way round. `first` is its usual order. */
function sortable(query, name, key, first) {
  const order = orderOf(query);
  const isSorted = order.replace(/^-/, "") === key;
  const isFalling = order.startsWith("-");
  const flipped = isFalling ? key : `-${key}`;
  const sort = () => {
    const next = isSorted ? flipped : first;
    changeQuery({ order_by: next === DEFAULT_ORDER ? null : next });
  };
  return {
    name,
    sort: isSorted ? (isFalling ? "descending" : "ascending") : undefined,
    head: html`<button type="button" class="sort" onClick=${sort}>${name}</button>`,
  };
}

function Marks({ checkpoint, marks }) {
  const { id, phase, state } = checkpoint;
  const texts = [
    phase === "train" ? null : [phase, stepTitle(checkpoint)],
    id === marks.latest ? ["latest", "The newest of this job, recipe and variant"] : null,
    id === marks.best ? ["best", `The lowest ${validationTitle(marks.metric)} of this job, recipe and variant`] : null,
  ].filter(Boolean);
  return html`
    <span class="tags">
      ${texts.map(([text, title]) => html`<span key=${text} class="tag" title=${title}>${text}</span>`)}
      ${state !== "published" && html`<${Badge} state=${state} />`}
    </span>
  `;
}

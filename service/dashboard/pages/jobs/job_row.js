// One row of the list: a job, the head of a group, or a job that is not read yet.

import { html } from "../../parts/html.js";
import { count, counted } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";
import { classOf, shownIn } from "./columns.js";

export function JobRow({ job, place, columns, selection, isCurrent, isGone, onSelect }) {
  const isSelected = selection.has(job.id);
  const classes = [isSelected && "selected", isCurrent && "current", isGone && "gone"].filter(Boolean).join(" ");
  return html`
    <tr
      role="row"
      class=${classes || undefined}
      data-job=${job.id}
      aria-rowindex=${place + 2}
      title=${isGone ? "Not in this list any more" : undefined}
      style=${{ "--place": place }}
    >
      <td role="cell" class="check">
        <input type="checkbox" aria-label=${`Select ${titleOf(job)}`} checked=${isSelected} onClick=${(event) => onSelect(place, event)} />
      </td>
      ${columns.map((column) => html`<td key=${column.key} role="cell" class=${classOf(column)}>${shownIn(column, job)}</td>`)}
    </tr>
  `;
}

export function PendingRow({ place, columns }) {
  return html`
    <tr role="row" class="pending" aria-rowindex=${place + 2} aria-label="Loading" style=${{ "--place": place }}>
      <td role="cell" class="check"></td>
      ${columns.map((column) => html`<td key=${column.key} role="cell" class=${classOf(column)}><span class="pending-line"></span></td>`)}
    </tr>
  `;
}

export function GroupRow({ item, place, columns, isCurrent, onFold }) {
  const { group, jobs, isFolded } = item;
  const states = new Map();
  for (const { state } of jobs) states.set(state, (states.get(state) ?? 0) + 1);
  const summary = [...states].map(([state, many]) => `${count(many)} ${state}`).join(" · ");
  return html`
    <tr role="row" class=${isCurrent ? "group current" : "group"} aria-rowindex=${place + 2} style=${{ "--place": place }}>
      <td role="cell" aria-colspan=${columns.length + 1}>
        <button type="button" class="fold" aria-expanded=${!isFolded} onClick=${() => onFold(group)}>${group ?? "without this label"}</button>
        <span class="quiet">${counted(jobs.length, "job", "jobs")} · ${summary}</span>
      </td>
    </tr>
  `;
}

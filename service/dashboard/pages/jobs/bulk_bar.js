// What can be done with the jobs that are selected, and what came of it.

import { useMemo, useState } from "../../vendor/preact.js";
import { BulkSender } from "../../api/bulk.js";
import { lacksRole } from "../../api/session.js";
import { html } from "../../parts/html.js";
import { announce } from "../../state/announcer.js";
import { addressOf } from "../../state/route.js";
import { counted } from "../../text/format.js";
import { BULK_ACTIONS, refusalsOf } from "./bulk_actions.js";
import { BulkDialog } from "./bulk_dialog.js";

/** Of how many refused jobs each reason names the ids. */
const NAMED = 5;
/** The most jobs that the page of a comparison takes. */
const COMPARED = 20;

/**
 * @param {object} props
 * @param {import("./selection.js").Selection} props.selection
 * @param {number} props.total How many jobs match the view.
 * @param {string} props.filters Of the view.
 * @param {object} props.filter The filters as the server takes them for an action.
 * @param {(action: string, results: any[]) => void} props.afterwards
 */
export function BulkBar({ selection, total, filters, filter, afterwards }) {
  const [action, setAction] = useState(null);
  const [outcome, setOutcome] = useState(null);
  const { ids, filter: all } = selection.chosen.value;
  const size = all === null ? ids.size : total;
  const sender = useMemo(() => new BulkSender(), [action]);
  const send = async (fields, report) => {
    const results = await sender.send({ action: action.name, ...fields }, all === null ? { ids: [...ids] } : { filter }, report);
    setAction(null);
    setOutcome({ action, results });
    announce(outcomeText({ action, results }));
    selection.clear();
    afterwards(action.name, results);
  };
  return html`
    ${outcome && html`<${Outcome} outcome=${outcome} onClose=${() => setOutcome(null)} />`}
    ${!selection.isEmpty &&
    html`
      <div class="bulk-bar" role="region" aria-label="Selected jobs">
        <span class="selected">${counted(size, "job", "jobs")} selected</span>
        ${all === null && total > size && html`<button type="button" class="tool" onClick=${() => selection.addAll(filters)}>Select all ${counted(total, "job", "jobs")} that match</button>`}
        <span class="verbs">
          ${!lacksRole("user") && BULK_ACTIONS.map((each) => html`<button key=${each.name} type="button" class="button" onClick=${() => setAction(each)}>${each.label}…</button>`)}
        </span>
        ${all === null && size > 1 && size <= COMPARED && html`<a class="tool" href=${addressOf(["compare"], { ids: [...ids].join(",") })}>Compare</a>`}
        <button type="button" class="tool" onClick=${() => selection.clear()}>Clear</button>
      </div>
    `}
    ${action && html`<${BulkDialog} key=${action.name} action=${action} size=${size} onConfirm=${send} onClose=${() => setAction(null)} />`}
  `;
}

function outcomeText({ action, results }) {
  const done = results.filter(({ ok }) => ok).length;
  const refused = results.length - done;
  const text = `${counted(done, "job was", "jobs were")} ${action.done}`;
  return refused ? `${text}, ${counted(refused, "was", "were")} refused` : text;
}

function Outcome({ outcome, onClose }) {
  const refusals = refusalsOf(outcome.results);
  return html`
    <div class="outcome" data-tone=${refusals.length ? "warn" : "good"} role="status">
      <p>${outcomeText(outcome)}.</p>
      ${refusals.length > 0 &&
      html`
        <ul>
          ${refusals.map(
            ({ reason, ids }) => html`
              <li key=${reason}>
                ${counted(ids.length, "job", "jobs")}: ${reason}${" "}
                ${ids.slice(0, NAMED).map((id) => html`<a key=${id} href=${addressOf(["jobs", id])} title=${id}>…${id.slice(-6)}</a> `)}
                ${ids.length > NAMED && "…"}
              </li>
            `,
          )}
        </ul>
      `}
      <button type="button" class="tool" onClick=${onClose}>Close</button>
    </div>
  `;
}

// Which columns the list has, and by which label it is grouped.

import { useEffect, useState } from "../../vendor/preact.js";
import { Resource } from "../../api/client.js";
import { html } from "../../parts/html.js";
import { Sheet } from "../../parts/sheet.js";
import { changeQuery } from "../../state/route.js";
import { columnOf, keepColumns, offeredColumns, usualColumns } from "./columns.js";
import { filtersOf, orderOf } from "./view.js";

/** Of how many jobs the names of metrics, labels and parameters are taken. */
const SAMPLE = 100;

/**
 * @param {object} props
 * @param {URLSearchParams} props.query
 * @param {string[]} props.chosen
 */
export function ColumnChoice({ query, chosen }) {
  const [isShown, setShown] = useState(false);
  return html`
    <button type="button" class="button small columns" onClick=${() => setShown(true)}>Columns</button>
    ${isShown && html`<${Choices} query=${query} chosen=${chosen} onClose=${() => setShown(false)} />`}
  `;
}

function Choices({ query, chosen, onClose }) {
  const [sample, setSample] = useState([]);
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    const entries = [...filtersOf(query), ["limit", String(SAMPLE)], ["fields", "id,metrics,labels,spec"]];
    const resource = new Resource(`jobs?${new URLSearchParams(entries)}`);
    resource.read().then(() => setSample(resource.value.data), (error) => setProblem(error.message));
  }, []);
  const choose = (keys) => {
    keepColumns(keys);
    changeQuery({ columns: keys.join(",") === usualColumns().join(",") ? null : keys.join(",") });
  };
  const toggle = (key) => choose(chosen.includes(key) ? chosen.filter((each) => each !== key) : [...chosen, key]);
  const offered = Object.entries(withChosen(offeredColumns(sample), chosen));
  return html`
    <${Sheet} title="Columns" onClose=${onClose}>
      ${problem && html`<p class="callout" data-tone="bad" role="alert">${problem}</p>`}
      <div class="column-choice">
        ${offered.map(
          ([part, keys]) =>
            keys.length > 0 &&
            html`
              <fieldset key=${part}>
                <legend>${part}</legend>
                ${keys.map((key) => html`<label key=${key}><input type="checkbox" checked=${chosen.includes(key)} onChange=${() => toggle(key)} /> ${columnOf(key).title}</label>`)}
              </fieldset>
            `,
        )}
      </div>
      <p class="quiet">This browser keeps the choice. <button type="button" class="tool" onClick=${() => choose(usualColumns())}>The usual columns</button></p>
    <//>
  `;
}

const PARTS = { "metrics.": "Metrics", "label.": "Labels", "param.": "Parameters" };

/** What is chosen is offered too when none of the jobs has it. */
function withChosen(offered, chosen) {
  const all = { ...offered };
  for (const key of chosen) {
    const prefix = Object.keys(PARTS).find((each) => key.startsWith(each));
    if (prefix && !all[PARTS[prefix]].includes(key)) all[PARTS[prefix]] = [...all[PARTS[prefix]], key];
  }
  return all;
}

/** @type {[string, string][]} */
const ORDERS = [
  ["", "Newest first"],
  ["created_at", "Oldest first"],
  ["-duration", "Longest first"],
  ["-priority", "Highest priority"],
  ["metrics.loss", "Lowest loss"],
  ["metrics.top1_error", "Lowest top-1 error"],
];

/** Sorts where there is no head of a table to do it, as on a telephone. */
export function OrderChoice({ query }) {
  const chosen = query.get("sort") ?? "";
  const orders = ORDERS.some(([sort]) => sort === chosen) ? ORDERS : [...ORDERS, [chosen, titleOf(query)]];
  return html`
    <select class="order" aria-label="Order" value=${chosen} onChange=${(event) => changeQuery({ sort: event.target.value }, { replace: false })}>
      ${orders.map(([sort, title]) => html`<option key=${sort} value=${sort} selected=${sort === chosen}>${title}</option>`)}
    </select>
  `;
}

/** An order that is of no use to most, in words. */
function titleOf(query) {
  const { name, isDescending } = orderOf(query);
  return `${columnOf(name)?.title ?? name}, ${isDescending ? "highest" : "lowest"} first`;
}

/** Groups by the label that is chosen; `keys` are those of the jobs that were read. */
export function GroupChoice({ query, keys }) {
  const chosen = query.get("group") ?? "";
  const offered = [...new Set([...keys, chosen])].filter(Boolean).sort();
  if (!offered.length) return null;
  return html`
    <select aria-label="Group by a label" value=${chosen} onChange=${(event) => changeQuery({ group: event.target.value }, { replace: false })}>
      <option value="" selected=${!chosen}>No groups</option>
      ${offered.map((key) => html`<option key=${key} value=${key} selected=${key === chosen}>By ${key}</option>`)}
    </select>
  `;
}

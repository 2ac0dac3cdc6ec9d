// What narrows the list: a search, states, kinds, and chips for what else is chosen.

import { useEffect, useRef, useState } from "../../vendor/preact.js";
import { session } from "../../api/session.js";
import { html } from "../../parts/html.js";
import { addressOf, changeQuery, navigate } from "../../state/route.js";
import { count } from "../../text/format.js";
import { chipsOf, without } from "./view.js";

const STATES = ["running", "queued", "paused", "succeeded", "failed", "cancelled"];
/** States in passing, which are shown while there are jobs in them. */
const PASSING = ["pausing", "cancelling"];
const TYPING_MS = 200;
const ADDRESS = ["jobs"];

/** @type {[string, string][]} */
const KINDS = [
  ["", "Trainings, evals, searches"],
  ["all", "All kinds"],
  ["train", "Trainings"],
  ["eval", "Evals"],
  ["import", "Imports"],
  ["export", "Exports"],
  ["check_data", "Checks of data"],
  ["search", "Searches"],
];

const entriesOf = (query) => Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)]));

/** A search as it is typed; `field` is where the focus comes to by "/". */
export function Search({ query, field }) {
  const text = query.get("q") ?? "";
  const [typed, setTyped] = useState(text);
  const timer = useRef(0);
  const sent = useRef(text);
  useEffect(() => {
    // The address has changed by itself, as by going back.
    if (text !== sent.current) setTyped(text);
    sent.current = text;
  }, [text]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = (value) => {
    sent.current = value.trim();
    changeQuery({ q: value.trim() });
  };
  const type = (event) => {
    const { value } = event.target;
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => search(value), TYPING_MS);
  };
  const press = (event) => {
    if (event.key !== "Escape") return;
    clearTimeout(timer.current);
    setTyped("");
    search("");
    if (!typed) field.current.blur();
  };
  return html`
    <input
      class="search"
      type="search"
      ref=${field}
      value=${typed}
      aria-label="Search jobs"
      placeholder="Name, id or label"
      title="Search in names, ids and labels ( / )"
      maxlength="200"
      autocomplete="off"
      spellcheck=${false}
      onInput=${type}
      onKeyDown=${press}
    />
  `;
}

/** The jobs by state, with how many there are; with shift several states are chosen. */
export function States({ query, counts }) {
  const chosen = query.getAll("state");
  const shown = [...STATES, ...PASSING.filter((state) => counts[state] || chosen.includes(state))];
  const all = Object.values(counts).reduce((sum, many) => sum + many, 0);
  const href = (states) => addressOf(ADDRESS, { ...entriesOf(query), state: states });
  const toggle = (event, state) => {
    if (!event.shiftKey) return;
    event.preventDefault();
    navigate(href(chosen.includes(state) ? without(query, "state", state) : [...chosen, state]));
  };
  const link = (state, many, isChosen, states) => html`
    <a key=${state} href=${href(states)} aria-current=${isChosen ? "true" : null} title="With shift: several states" onClick=${(event) => states.length && toggle(event, state)}>
      <span class="state-name">${state}</span>${many > 0 && html` <span class="state-count">${count(many)}</span>`}
    </a>
  `;
  return html`
    <nav class="filters" aria-label="Jobs by state">
      ${link("all", all, !chosen.length, [])}
      ${shown.map((state) => link(state, counts[state], chosen.includes(state), [state]))}
    </nav>
  `;
}

export function Kinds({ query }) {
  const chosen = query.getAll("kind");
  const value = chosen.length > 1 ? "several" : (chosen[0] ?? "");
  const kinds = KINDS.some(([kind]) => kind === value) ? KINDS : [...KINDS, [value, value === "several" ? chosen.join(", ") : value]];
  return html`
    <select aria-label="Kinds of jobs" value=${value} onChange=${(event) => changeQuery({ kind: event.target.value }, { replace: false })}>
      ${kinds.map(([kind, title]) => html`<option key=${kind} value=${kind} selected=${kind === value}>${title}</option>`)}
    </select>
  `;
}

/** Narrows the list to the jobs of who is logged in, and shows all again. */
export function Mine({ query }) {
  const user = session.value?.user;
  if (!user) return null;
  const isChosen = query.get("submitted_by") === user;
  const change = () => changeQuery({ submitted_by: isChosen ? null : user }, { replace: false });
  return html`<button type="button" class="button small mine" aria-pressed=${isChosen} title="Only jobs that you have submitted" onClick=${change}>Mine</button>`;
}

/** The filters without a control of their own; each can be taken away. */
export function Chips({ query }) {
  const isMine = (name, value) => name === "submitted_by" && value === session.value?.user;
  const chips = chipsOf(query).filter(([name, value]) => !isMine(name, value));
  if (!chips.length) return null;
  const href = (name, value) => addressOf(ADDRESS, { ...entriesOf(query), [name]: without(query, name, value) });
  return html`
    <ul class="filter-chips" aria-label="Filters">
      ${chips.map(
        ([name, value]) => html`
          <li key=${`${name} ${value}`} class="tag">
            ${titleOfFilter(name)} ${value}
            <a href=${href(name, value)} aria-label=${`Without the filter ${titleOfFilter(name)} ${value}`}>×</a>
          </li>
        `,
      )}
    </ul>
  `;
}

const TITLES = { created_after: "submitted after", submitted_by: "by", parts: "with parts of searches:" };

function titleOfFilter(name) {
  if (name === "label") return "";
  return TITLES[name] ?? name.replace("param.", "");
}

// What the list of checkpoints is narrowed to and sorted by; all of it is in the address.

import { useEffect, useId, useRef, useState } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { changeQuery } from "../../state/route.js";
import { DEFAULT_ORDER, isNarrowed, orderOf, ORDERS } from "./query.js";

const PAUSE_MS = 300;
const PHASES = [
  ["", "any"],
  ["train", "training state"],
  ["recalibrate", "while recalibrating"],
  ["final", "final weights"],
];
const PINNED = [
  ["", "any"],
  ["true", "pinned"],
  ["false", "not pinned"],
];
const STATES = [
  ["", "kept"],
  ["published", "published"],
  ["damaged", "damaged"],
  ["purging", "purging"],
  ["deleting", "deleting"],
  ["purged", "purged"],
];

/** `items` are the checkpoints that are shown: their networks are suggested. */
export function Filters({ query, items }) {
  const recipes = new Set(items.map(({ recipe }) => recipe));
  const variants = new Set(items.map(({ variant }) => variant));
  const tags = new Set(items.flatMap((item) => item.tags));
  return html`
    <search class="checkpoint-filters">
      <${TextFilter} query=${query} name="job" label="Job" />
      <${TextFilter} query=${query} name="recipe" label="Recipe" suggestions=${recipes} />
      <${TextFilter} query=${query} name="variant" label="Variant" suggestions=${variants} />
      <${TextFilter} query=${query} name="tag" label="Tag" suggestions=${tags} />
      <${Choice} query=${query} name="phase" label="Kind" choices=${PHASES} />
      <${Choice} query=${query} name="pinned" label="Pinned" choices=${PINNED} />
      <${Choice} query=${query} name="state" label="State" choices=${STATES} />
      <${Choice} query=${query} name="order_by" label="Sort" choices=${ORDERS} value=${orderOf(query)} initial=${DEFAULT_ORDER} />
      ${isNarrowed(query) && html`<button type="button" class="button clear" onClick=${clear}>Clear</button>`}
    </search>
  `;
}

function clear() {
  changeQuery({ job: null, recipe: null, variant: null, tag: null, phase: null, pinned: null, state: null });
}

/** A text that is taken as the filter once the user pauses. */
function TextFilter({ query, name, label, suggestions = [] }) {
  const id = useId();
  const asked = query.get(name) ?? "";
  const [text, setText] = useState(asked);
  const timer = useRef(null);
  const last = useRef(asked);
  useEffect(() => {
    // The address was changed by something else, as a link or the back button.
    if (asked !== last.current) setText(asked);
    last.current = asked;
  }, [asked]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const take = (value) => {
    clearTimeout(timer.current);
    last.current = value.trim();
    changeQuery({ [name]: last.current || null });
  };
  const onInput = ({ target }) => {
    setText(target.value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => take(target.value), PAUSE_MS);
  };
  const options = [...suggestions].sort().map((each) => html`<option key=${each} value=${each}></option>`);
  return html`
    <div class="filter">
      <label for=${id}>${label}</label>
      <input
        id=${id}
        type="text"
        value=${text}
        maxlength="64"
        spellcheck=${false}
        autocomplete="off"
        placeholder="any"
        list=${options.length ? `${id}-list` : null}
        onInput=${onInput}
        onChange=${({ target }) => take(target.value)}
      />
      ${options.length > 0 && html`<datalist id=${`${id}-list`}>${options}</datalist>`}
    </div>
  `;
}

function Choice({ query, name, label, choices, value = query.get(name) ?? "", initial = "" }) {
  const id = useId();
  const change = ({ target }) => changeQuery({ [name]: target.value === initial ? null : target.value });
  // A value of another version of the page is not offered, and is shown as what it is.
  const shown = choices.some(([each]) => each === value) ? choices : [...choices, [value, value]];
  return html`
    <div class="filter">
      <label for=${id}>${label}</label>
      <select id=${id} value=${value} onChange=${change}>
        ${shown.map(([each, text]) => html`<option key=${each} value=${each}>${text}</option>`)}
      </select>
    </div>
  `;
}

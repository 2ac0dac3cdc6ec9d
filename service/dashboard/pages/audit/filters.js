// What the audit list is narrowed to; all of it is in the address.

import { useEffect, useId, useState } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { changeQuery } from "../../state/route.js";

/** @type {[string, string, string][]} Name in the address, label, example. */
const TEXTS = [
  ["actor", "Who", "ann"],
  ["action", "Action", "job.cancel"],
  ["subject", "What", "job_…"],
  ["since", "From", "2026-01-31"],
  ["until", "Until", "2026-02-28"],
];

const isFilter = (name) => TEXTS.some(([each]) => each === name);

/** What the server is asked for in a view. */
export function listPath(query) {
  const entries = [...query].filter(([name, value]) => isFilter(name) && value);
  return `audit?${new URLSearchParams([...entries, ["limit", "50"]])}`;
}

export function Filters({ query }) {
  const isNarrowed = TEXTS.some(([name]) => query.get(name));
  const clear = () => changeQuery(Object.fromEntries(TEXTS.map(([name]) => [name, null])));
  return html`
    <search class="checkpoint-filters">
      ${TEXTS.map(([name, label, example]) => html`<${TextFilter} key=${name} query=${query} ...${{ name, label, example }} />`)}
      ${isNarrowed && html`<button type="button" class="button clear" onClick=${clear}>Clear</button>`}
    </search>
  `;
}

/** A text that is taken as the filter by Enter, or when the field is left. */
function TextFilter({ query, name, label, example }) {
  const id = useId();
  const asked = query.get(name) ?? "";
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
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
        placeholder=${example}
        onInput=${({ target }) => setText(target.value)}
        onChange=${({ target }) => changeQuery({ [name]: target.value.trim() || null }, { replace: false })}
      />
    </div>
  `;
}

// The fields of the weights that a job starts from or measures.

import { html } from "../../parts/html.js";
import { addressOf } from "../../state/route.js";
import { valueAt, withValue } from "./draft.js";
import { ChoiceField, TextField } from "./fields.js";

const ORIGINS = [
  ["id", "A checkpoint"],
  ["job", "A checkpoint of a job"],
  ["file", "A file to import"],
];
const PARTS = new Map([
  ["weights", "its weights alone"],
  ["full", "its training state: weights, momentum, position"],
]);
const HEADS = new Map([
  ["keep", "kept: the same classes"],
  ["replace", "made anew for the classes of the data"],
]);

/** What each kind does with a checkpoint. */
const USES = {
  train: { field: "init_from", head: "Where it starts", origins: [["", "New weights"], ...ORIGINS] },
  eval: { field: "checkpoint", head: "What is evaluated", origins: ORIGINS },
  search: { field: "checkpoint", head: "What is searched", origins: ORIGINS.filter(([name]) => name !== "file") },
};

/**
 * @param {object} props
 * @param {any} props.draft
 * @param {(...path: string[]) => any} props.bind
 * @param {(draft: object) => void} props.onChange
 * @param {{id: string, title: string}[]} props.weights Checkpoints that are choices of their own.
 */
export function StartFields({ draft, bind, onChange, weights }) {
  const { field, head, origins } = USES[draft.kind] ?? USES.train;
  const reference = valueAt(draft, [field]);
  const isOffered = weights.some(({ id }) => id === reference?.id);
  const origin = ORIGINS.find(([name]) => reference && name in reference)?.[0] ?? "";
  const choose = (name) => {
    const isCheckpoint = weights.some(({ id }) => id === name);
    onChange(withValue(draft, [field], isCheckpoint ? { id: name } : name ? { [name]: "" } : undefined));
  };
  const choices = [...origins, ...weights.map(({ id, title }) => [id, title])];
  return html`
    <section class="panel form-part">
      <h2>${head}</h2>
      <${ChoiceField} label="Weights" ...${bind(field)} value=${isOffered ? reference.id : origin} choices=${choices} onChange=${choose} />
      ${origin === "id" && html`<${TextField} label="Checkpoint" hint=${linkTo(reference.id)} ...${bind(field, "id")} />`}
      ${origin === "job" && html`<${OfJob} field=${field} bind=${bind} />`}
      ${origin === "file" && html`<${TextField} label="File" hint="Below the import folder of the worker." ...${bind(field, "file")} />`}
      ${origin && field === "init_from" && html`<${HowItStarts} bind=${bind} />`}
    </section>
  `;
}

const linkTo = (id) => (id ? html`<a href=${addressOf(["checkpoints", id])} target="_blank">Its page</a>, in a new tab.` : "Its id.");

function OfJob({ field, bind }) {
  const which = [["", "the latest"], ["best", "the best"]];
  return html`
    <${TextField} label="Job" hint="Its id." ...${bind(field, "job")} />
    <${ChoiceField} label="Which of its checkpoints" ...${bind(field, "which")} choices=${which} />
  `;
}

function HowItStarts({ bind }) {
  return html`
    <${ChoiceField} label="What of it" ...${withDefault(bind("init_from", "state"), "weights")} choices=${[...PARTS]} />
    <${ChoiceField} label="Classifier" ...${withDefault(bind("init_from", "head"), "keep")} choices=${[...HEADS]} />
  `;
}

/** A field whose default is shown as a choice of its own, and is left out of the draft. */
const withDefault = (bound, value) => ({
  ...bound,
  value: bound.value ?? value,
  onChange: (chosen) => bound.onChange(chosen === value ? undefined : chosen),
});

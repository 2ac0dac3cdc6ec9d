// The fields of a form: a label, an input, what is allowed, what is wrong.

import { useId } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { gpusText, parsedGpus } from "../../text/gpus.js";
import { fieldKind, parsedValue } from "./schema.js";

/**
 * A field with a control of its own.
 * @param {object} props
 * @param {string} props.label
 * @param {string} [props.hint]
 * @param {string} [props.problem]
 * @param {import("../../api/types").Hint[]} [props.notes] What the dry run says of it.
 * @param {(attributes: {id: string, "aria-describedby": string, "aria-invalid": boolean}) => any} props.control
 */
export function Field({ label, hint = "", problem = "", notes = [], control }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${control({ id, "aria-describedby": `${id}-hint ${id}-notes`, "aria-invalid": problem !== "" })}
      <p id=${`${id}-hint`} class=${problem ? "field-problem" : "field-hint"}>${problem || hint}</p>
      <div id=${`${id}-notes`}>${notes.map(({ level, detail }) => html`<p key=${detail} class="field-note" data-level=${level}>${detail}</p>`)}</div>
    </div>
  `;
}

/** A parameter of a recipe by its schema; `value` is undefined where the default holds. */
export function SchemaField({ name, schema, value, problem, notes, onChange }) {
  const kind = fieldKind(schema);
  const unit = schema.unit ? ` (${schema.unit})` : "";
  const hint = [schema.description, kind.limits && `From ${kind.limits}.`.replace(/^From (?!\d)(.)/, (_, letter) => letter.toUpperCase())].filter(Boolean).join(" ");
  const control = (attributes) => html`<${Control} kind=${kind} schema=${schema} value=${value} attributes=${attributes} onChange=${onChange} />`;
  return html`<${Field} label=${`${name}${unit}`} hint=${hint} problem=${problem} notes=${notes} control=${control} />`;
}

function Control({ kind, schema, value, attributes, onChange }) {
  const text = value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const shownDefault = schema.default === null || schema.default === undefined ? "left out" : String(schema.default);
  const take = (event) => onChange(parsedValue(kind, event.currentTarget.value));
  if (kind.type === "choice" || kind.type === "boolean") {
    const choices = kind.type === "boolean" ? ["true", "false"] : kind.choices;
    return html`
      <select ...${attributes} value=${text} onChange=${take}>
        <option value="">${`default: ${shownDefault}`}</option>
        ${choices.map((choice) => html`<option key=${choice} value=${String(choice)}>${String(choice)}</option>`)}
      </select>
    `;
  }
  const mode = kind.type === "integer" ? "numeric" : kind.type === "number" ? "decimal" : "text";
  return html`<input ...${attributes} inputmode=${mode} autocomplete="off" placeholder=${shownDefault} value=${text} onInput=${take} />`;
}

/** GPUs as a number or as a range; `value` is undefined where the default holds. */
export function GpusField({ hint, problem, notes, value, onChange }) {
  const take = (event) => onChange(parsedGpus(event.currentTarget.value));
  const control = (attributes) =>
    html`<input ...${attributes} autocomplete="off" placeholder="0" value=${gpusText(value)} onInput=${take} />`;
  return html`<${Field} label="GPUs" hint=${hint} problem=${problem} notes=${notes} control=${control} />`;
}

/** A text; empty is undefined. */
export function TextField({ label, hint, problem, notes, value, placeholder = "", onChange }) {
  const take = (event) => onChange(event.currentTarget.value.trim() === "" ? undefined : event.currentTarget.value);
  const control = (attributes) =>
    html`<input ...${attributes} autocomplete="off" placeholder=${placeholder} value=${value ?? ""} onInput=${take} />`;
  return html`<${Field} label=${label} hint=${hint} problem=${problem} notes=${notes} control=${control} />`;
}

/** One of some values; "" stands for none of them. */
export function ChoiceField({ label, hint, problem, notes, value, choices, onChange }) {
  const take = (event) => onChange(event.currentTarget.value || undefined);
  const control = (attributes) => html`
    <select ...${attributes} value=${value ?? ""} onChange=${take}>
      ${choices.map(([choice, title]) => html`<option key=${choice} value=${choice}>${title}</option>`)}
    </select>
  `;
  return html`<${Field} label=${label} hint=${hint} problem=${problem} notes=${notes} control=${control} />`;
}

/** Labels as one text: "team=vision, sweep=7"; the draft has them once the field is left. */
export function LabelsField({ label, hint, problem, notes, value, onChange }) {
  const text = Object.entries(value ?? {})
    .map(([key, each]) => `${key}=${each}`)
    .join(", ");
  const take = (event) => {
    const pairs = event.currentTarget.value.split(",").map((each) => each.trim()).filter(Boolean);
    const labels = pairs.map((pair) => [pair.split("=")[0].trim(), pair.split("=").slice(1).join("=").trim()]);
    onChange(pairs.length ? Object.fromEntries(labels) : undefined);
  };
  const control = (attributes) => html`<input ...${attributes} autocomplete="off" defaultValue=${text} onChange=${take} />`;
  return html`<${Field} label=${label} hint=${hint} problem=${problem} notes=${notes} control=${control} />`;
}

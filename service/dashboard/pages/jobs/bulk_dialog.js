// The question before something is done with many jobs: how many, and what only the user knows.

import { useId, useState } from "../../vendor/preact.js";
import { Dialog } from "../../parts/dialog.js";
import { html } from "../../parts/html.js";
import { count, counted } from "../../text/format.js";
import { labelFrom, priorityFrom } from "./bulk_actions.js";

/** What a user types for an action, and what is made of it for the request. */
const INPUTS = {
  label: { label: "Label", placeholder: "team: vision", fieldsOf: (text) => ({ labels: labelFrom(text) }) },
  priority: { label: "Priority", placeholder: "0", fieldsOf: (text) => ({ priority: priorityFrom(text) }) },
};

/**
 * @param {object} props
 * @param {import("./bulk_actions.js").BulkAction} props.action
 * @param {number} props.size
 * @param {(fields: object, report: (done: number, all: number) => void) => Promise<void>} props.onConfirm Is given the fields of the requests, and what it tells how many jobs are done.
 * @param {() => void} props.onClose
 */
export function BulkDialog({ action, size, onConfirm, onClose }) {
  const { choice } = action;
  const input = INPUTS[action.name];
  const [chosen, setChosen] = useState(choice?.choices[0][0]);
  const [text, setText] = useState("");
  const id = useId();
  const [progress, setProgress] = useState("");
  const report = (done, all) => setProgress(`${count(done)} of ${counted(all, "job", "jobs")} done`);
  const confirm = async () => onConfirm({ ...(choice && { [choice.field]: chosen }), ...input?.fieldsOf(text) }, report);
  return html`
    <${Dialog}
      title=${action.question(counted(size, "job", "jobs"))}
      confirm=${action.verb}
      keep="Leave them"
      isDangerous=${Boolean(action.isDangerous)}
      onConfirm=${confirm}
      onClose=${onClose}
    >
      ${action.consequence && html`<p>${action.consequence}</p>`}
      ${choice && html`<${Choice} choice=${choice} chosen=${chosen} onChange=${setChosen} />`}
      ${input &&
      html`
        <label class="bulk-field" for=${id}>${input.label}</label>
        <input id=${id} value=${text} placeholder=${input.placeholder} autocomplete="off" onInput=${(event) => setText(event.target.value)} />
      `}
      <p class="quiet" role="status">${progress}</p>
    <//>
  `;
}

function Choice({ choice, chosen, onChange }) {
  const id = useId();
  return html`
    <fieldset class="choice">
      <legend>${choice.label}</legend>
      ${choice.choices.map(
        ([value, label]) => html`
          <label key=${value}><input type="radio" name=${id} checked=${value === chosen} onChange=${() => onChange(value)} /> ${label}</label>
        `,
      )}
    </fieldset>
  `;
}

// The form of a draft: recipe, data, parameters, resources.

import { html } from "../../parts/html.js";
import { ChoiceField, GpusField, LabelsField, SchemaField, TextField } from "./fields.js";
import { valueAt, withValue } from "./draft.js";
import { NetworkFields } from "./network_fields.js";
import { StartFields } from "./start_fields.js";

/** Those that most submissions change; the others are folded. */
const FIRST = {
  train: ["total_iters", "batch_size", "learning_rate", "image_size", "val_interval", "save_interval", "seed"],
  eval: ["image_size", "precision", "data_workers"],
  search: ["macs_limit", "macs_image_size", "generations", "population", "fitness", "fitness_images", "recalibration_batches", "seed"],
};

/**
 * @param {object} props
 * @param {object} props.draft
 * @param {(draft: object) => void} props.onChange
 * @param {Map<string, string>} props.problems By JSON pointer.
 * @param {import("../../api/types").Hint[]} props.hints
 * @param {import("../../api/types").ShownRecipe[]} props.recipes
 * @param {import("../../api/types").DatasetInfo[]} props.datasets
 * @param {Record<string, any> | null} props.params The schemas of the parameters of a kind that has its own.
 * @param {{id: string, title: string}[]} props.weights
 */
export function SubmitForm({ draft, onChange, problems, hints, recipes, datasets, params, weights }) {
  const bind = (...path) => ({
    value: valueAt(draft, path),
    problem: problems.get(`/${path.join("/")}`),
    notes: hints.filter(({ pointer }) => pointer === `/${path.join("/")}`),
    onChange: (value) => onChange(withValue(draft, path, value)),
  });
  const recipe = recipes.find(({ name }) => name === draft.recipe);
  const schemas = params ?? recipe?.schema.properties;
  return html`
    <section class="panel form-part">
      <h2>${params ? "Name" : "Network"}</h2>
      ${!params && html`<${NetworkFields} draft=${draft} bind=${bind} onChange=${onChange} problems=${problems} recipes=${recipes} datasets=${datasets} />`}
      <${TextField} label="Name" hint="Shown in lists; left out, its id is." ...${bind("name")} />
      <${LabelsField} label="Labels" hint="As team=vision, sweep=7." ...${bind("labels")} />
    </section>
    <${StartFields} draft=${draft} bind=${bind} onChange=${onChange} weights=${weights} />
    <${DataFields} draft=${draft} bind=${bind} onChange=${onChange} datasets=${datasets} problem=${problems.get("/data")} />
    ${schemas && html`<${Parameters} first=${FIRST[draft.kind] ?? []} schemas=${schemas} bind=${bind} />`}
    <section class="panel form-part">
      <h2>Where and when</h2>
      <${GpusField} hint="On each host; none: on the CPU. A range as 2:8 takes what is free when a worker claims the job." ...${bind("resources", "gpus")} problem=${problemOfGpus(problems)} />
      <${SchemaField} name="Hosts" schema=${{ type: "integer", minimum: 1, default: 1, description: "More than one need a worker that stands for several." }} ...${bind("resources", "hosts")} />
      <${SchemaField} name="Ranks" schema=${{ type: "integer", minimum: 1, default: 1, description: "Processes on the CPU of each host, without GPUs." }} ...${bind("resources", "ranks")} />
      <${LabelsField} label="Worker labels" hint="Of the worker that runs it, as zone=a." ...${bind("resources", "labels")} />
      <${SchemaField} name="Priority" schema=${{ type: "integer", default: 0, description: "Higher ones go first." }} ...${bind("priority")} />
      <${SchemaField} name="Preemptible" schema=${{ type: "boolean", default: false, description: "It saves and goes back to the queue for a job of a higher priority." }} ...${bind("preemptible")} />
      <${SchemaField} name="Failures" schema=${{ type: "integer", minimum: 1, default: 2, description: "It is tried again until so many attempts have failed." }} ...${bind("max_failures")} />
    </section>
  `;
}

/** The least and the most of a range are in one field. */
const problemOfGpus = (problems) => ["", "/min", "/max"].map((end) => problems.get(`/resources/gpus${end}`)).find(Boolean);

function Parameters({ first, schemas, bind }) {
  const field = (name) => html`<${SchemaField} key=${name} name=${name} schema=${schemas[name]} ...${bind("params", name)} />`;
  const names = Object.keys(schemas);
  const others = names.filter((name) => !first.includes(name));
  const isOpen = others.some((name) => bind("params", name).problem);
  return html`
    <section class="panel form-part">
      <h2>Parameters</h2>
      ${first.filter((name) => names.includes(name)).map(field)}
      <details class="more-fields" open=${isOpen}>
        <summary>${others.length} more parameters</summary>
        <div class="form-part">${others.map(field)}</div>
      </details>
    </section>
  `;
}

const FORMS = [
  ["dataset", "A named data set"],
  ["folders", "Two folders of images"],
  ["packed", "A pack"],
];

function DataFields({ draft, bind, onChange, datasets, problem }) {
  const data = draft.data ?? {};
  const form = "packed" in data ? "packed" : "train_dir" in data || "val_dir" in data ? "folders" : "dataset";
  const empty = { dataset: { dataset: datasets[0]?.name ?? "digits" }, folders: { train_dir: "train", val_dir: "val" }, packed: { packed: "photos.pack" } };
  const choose = (name) => onChange({ ...draft, data: empty[name] });
  return html`
    <section class="panel form-part">
      <h2>Data</h2>
      <${ChoiceField} label="Form" value=${form} problem=${problem} choices=${FORMS} onChange=${choose} />
      ${form === "dataset" &&
      html`<${ChoiceField} label="Data set" ...${bind("data", "dataset")} choices=${datasets.map(({ name }) => [name, name])} />`}
      ${form === "folders" &&
      html`
        <${TextField} label="Folder to train on" hint="Below the worker's data root: a folder for each class." ...${bind("data", "train_dir")} />
        <${TextField} label="Folder to validate on" ...${bind("data", "val_dir")} />
      `}
      ${form === "packed" &&
      html`<${TextField} label="Pack" hint="Below the worker's data root, made by trainyard data pack." ...${bind("data", "packed")} />`}
    </section>
  `;
}

// The table of a job's checkpoints, with metrics, sizes and files to download.

import { fileUrl } from "../../api/client.js";
import { el, reconcile, setAttributes } from "../../parts/dom.js";
import { bytes, count, dateAndTime, namedMetric, validationTitle } from "../../text/format.js";
import { badge } from "../../parts/states.js";

const COLUMNS = ["Step", "Measured", "Size", "Saved", "Files"];
const WEIGHTS = "model.safetensors";

export class CheckpointTable {
  #rows = new Map();
  #body = el("tbody", { role: "rowgroup" });
  #table;
  #none = el("p", { class: "quiet" }, "None yet. The first is saved at the save interval, or at the end.");

  constructor() {
    const heads = COLUMNS.map((name) => el("th", { scope: "col", role: "columnheader" }, name));
    const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads));
    this.#table = el("table", { role: "table", "aria-label": "Checkpoints", hidden: true }, head, this.#body);
    const heading = el("h2", {}, "Checkpoints");
    this.root = el("section", { class: "panel checkpoints" }, heading, this.#none, this.#table);
  }

  draw(checkpoints, job) {
    const newestFirst = [...checkpoints].sort(
      (a, b) => b.step - a.step || b.created_at.localeCompare(a.created_at),
    );
    reconcile(this.#body, this.#rows, newestFirst, {
      key: (checkpoint) => checkpoint.id,
      make,
      update: (row, checkpoint) => update(row, checkpoint, job),
    });
    this.#table.hidden = checkpoints.length === 0;
    this.#none.hidden = checkpoints.length > 0;
  }
}

function make(checkpoint) {
  const cell = (index, kind, ...children) =>
    el("td", { class: kind, role: "cell", "data-label": COLUMNS[index] }, ...children);
  const step = el("b", { title: checkpoint.id }, count(checkpoint.step));
  return el(
    "tr",
    { role: "row", "data-checkpoint": checkpoint.id },
    cell(0, "step", el("span", {}, step, el("span", { class: "tags" }))),
    cell(1, "measured", measures(checkpoint.metrics)),
    cell(2, "size", bytes(checkpoint.bytes)),
    cell(3, "saved", dateAndTime(checkpoint.created_at)),
    cell(4, "files"),
  );
}

function update(row, checkpoint, job) {
  const tags = [];
  if (checkpoint.phase !== "train") tags.push(checkpoint.phase);
  if (checkpoint.id === job.latest_checkpoint) tags.push("latest");
  if (checkpoint.id === job.best_checkpoint) tags.push("best");
  if (checkpoint.pinned) tags.push("pinned");
  const cell = row.querySelector(".tags");
  if (cell.dataset.tags !== tags.join()) {
    cell.dataset.tags = tags.join();
    cell.replaceChildren(...tags.map((tag) => el("span", { class: "tag" }, tag)));
  }
  if (row.dataset.state === checkpoint.state) return;
  setAttributes(row, { "data-state": checkpoint.state });
  row.lastElementChild.replaceChildren(...filesOf(checkpoint));
}

const measures = (metrics) =>
  el(
    "ul",
    { class: "measures" },
    ...Object.entries(metrics).map(([name, value]) =>
      el("li", {}, el("span", { class: "quiet" }, validationTitle(name)), ` ${namedMetric(name, value)}`),
    ),
  );

/** Links to the files: the weights are visible, the others (a file for each rank) folded. */
function filesOf(checkpoint) {
  if (checkpoint.state.startsWith("purg")) return [el("span", { class: "quiet" }, "removed by retention")];
  const files = Object.entries(checkpoint.files);
  const first = files.filter(([name]) => name === WEIGHTS);
  const rest = files.filter(([name]) => name !== WEIGHTS);
  const nodes = checkpoint.state === "damaged" ? [badge("damaged")] : [];
  nodes.push(fileList(checkpoint, first.length ? first : rest));
  if (first.length && rest.length) {
    const title = `${rest.length} more ${rest.length === 1 ? "file" : "files"}`;
    nodes.push(el("details", {}, el("summary", {}, title), fileList(checkpoint, rest)));
  }
  return nodes;
}

function fileList(checkpoint, files) {
  const lines = files.map(([name, digest]) => {
    const link = el("a", { href: fileUrl(checkpoint.id, name), download: name }, name);
    const sum = el("code", { title: `sha256 ${digest.sha256}` }, digest.sha256.slice(0, 10));
    const note = el("span", { class: "file-note" }, `${bytes(digest.bytes)} `, sum);
    return el("li", {}, link, " ", note);
  });
  return el("ul", { class: "files" }, ...lines);
}

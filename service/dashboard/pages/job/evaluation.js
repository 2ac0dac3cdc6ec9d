// The result of an eval: confusion matrix, classes with the highest error, misclassified images.

import { jobPath, Resource } from "../../api/client.js";
import { el, setText } from "../../parts/dom.js";
import { count, errorRate } from "../../text/format.js";
import { colour, dark, loadPlotly, plainLayout } from "./plotly.js";
import { plotText, shownName } from "../../text/user_text.js";

const FILE = "evaluation.json";
const WORST = 10;
const LABELLED = 40;
const COLUMNS = ["Class", "Images", "Wrong", "Error"];

export class Evaluation {
  #jobId;
  #evaluation = null;
  #reading = false;
  #plot = el("div", { class: "plot", role: "img", "aria-label": "Confusion matrix" });
  #classes = el("tbody", { role: "rowgroup" });
  #wrong = el("ul", { class: "mistakes" });
  #count = el("h2", {}, "Wrong examples");
  #drawn = false;
  #repaint = () => this.#drawMatrix();

  constructor(jobId) {
    this.#jobId = jobId;
    const matrix = el("div", { class: "matrix" }, this.#plot);
    const heads = COLUMNS.map((name) => el("th", { scope: "col", role: "columnheader" }, name));
    const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads));
    const table = el("table", { role: "table", "aria-label": "Classes" }, head, this.#classes);
    this.root = el(
      "div",
      { class: "evaluation", hidden: true },
      el("section", { class: "panel" }, el("h2", {}, "Confusion matrix"), matrix),
      el("section", { class: "panel" }, el("h2", {}, "Hardest classes"), table),
      el("section", { class: "panel wide" }, this.#count, this.#wrong),
    );
    dark.addEventListener("change", this.#repaint);
  }

  /** Reads and shows the evaluation once; it does not change after the job has ended. */
  async draw(job, signal) {
    if (this.#evaluation || this.#reading || !job.result?.files?.[FILE]) return;
    this.#reading = true;
    try {
      const file = new Resource(`${jobPath(this.#jobId)}/files/${FILE}`);
      await file.read(signal);
      this.#evaluation = file.value;
      this.root.hidden = false;
      this.#drawClasses();
      this.#drawWrong();
      await this.#drawMatrix();
    } finally {
      this.#reading = false;
    }
  }

  close() {
    dark.removeEventListener("change", this.#repaint);
    if (this.#drawn) globalThis.Plotly.purge(this.#plot);
    this.#drawn = false;
  }

  #drawClasses() {
    const wrongCount = (row) => row.samples - row.correct;
    const worst = [...this.#evaluation.per_class]
      .filter((row) => row.samples)
      .sort((a, b) => a.accuracy - b.accuracy || b.samples - a.samples)
      .slice(0, WORST);
    const rows = worst.map((row) => {
      const cells = [shownName(row.class), count(row.samples), count(wrongCount(row)), errorRate(1 - row.accuracy)];
      return el("tr", { role: "row" }, ...cells.map((text, index) => cellOf(COLUMNS[index], text)));
    });
    this.#classes.replaceChildren(...rows);
  }

  #drawWrong() {
    const { wrong, wrong_total: total } = this.#evaluation;
    setText(this.#count, total ? `Wrong examples: ${count(total)}, the most confident first` : "No wrong examples");
    this.#wrong.replaceChildren(...wrong.filter((each) => each.preview?.startsWith("data:image/")).map(mistake));
  }

  async #drawMatrix() {
    if (!this.#evaluation) return;
    const { class_names: classes, confusion_matrix: matrix } = this.#evaluation;
    const names = classes.map(plotText);
    const Plotly = await loadPlotly();
    const few = names.length <= LABELLED;
    const trace = {
      type: "heatmap",
      x: names,
      y: names,
      // Each row is divided by its sum, so that classes with many images do not look different.
      z: matrix.map((row) => {
        const all = row.reduce((sum, value) => sum + value, 0);
        return row.map((value) => (all ? value / all : 0));
      }),
      customdata: matrix,
      text: few ? matrix.map((row) => row.map((value) => value || "")) : undefined,
      texttemplate: few ? "%{text}" : undefined,
      hovertemplate: "%{y} predicted as %{x}: %{customdata}<extra></extra>",
      colorscale: [
        [0, colour("--panel")],
        [1, colour("--line-1")],
      ],
      showscale: false,
      xgap: few ? 1 : 0,
      ygap: few ? 1 : 0,
    };
    const axis = { type: "category", showgrid: false, automargin: true, showticklabels: few };
    const layout = {
      ...plainLayout(),
      height: 340,
      margin: { l: 40, r: 8, t: 8, b: 40 },
      xaxis: { ...axis, title: { text: "predicted", standoff: 6 } },
      yaxis: { ...axis, title: { text: "class", standoff: 6 }, autorange: "reversed" },
    };
    await Plotly.react(this.#plot, [trace], layout, { displayModeBar: false, responsive: true });
    this.#drawn = true;
  }
}

const cellOf = (label, text) => el("td", { role: "cell", "data-label": label }, el("span", {}, text));

function mistake(wrong) {
  const [actual, predicted] = [wrong.class, wrong.predicted].map(shownName);
  const description = `${actual}, predicted as ${predicted}`;
  return el(
    "li",
    { title: wrong.image },
    el("img", { src: wrong.preview, alt: `${wrong.image}: ${description}` }),
    el("span", {}, el("b", {}, actual), " → ", predicted),
    el("small", {}, `${Math.round(wrong.confidence * 100)} % confidence`),
  );
}

// What an eval found out: the confusion matrix, the classes that fare worst, the surest mistakes.

import { jobPath, Resource } from "./api.js";
import { el, setText } from "./dom.js";
import { count, errorRate } from "./format.js";
import { colour, dark, loadPlotly, plainLayout } from "./plotly.js";

const FILE = "evaluation.json";
const WORST = 10;
const LABELLED = 40;

export class Evaluation {
  #jobId;
  #found = null;
  #reading = false;
  #plot = el("div", { class: "plot", role: "img", "aria-label": "Confusion matrix" });
  #classes = el("tbody");
  #wrong = el("ul", { class: "mistakes" });
  #count = el("h2", {}, "Wrong examples");
  #drawn = false;
  #repaint = () => this.#drawMatrix();

  constructor(jobId) {
    this.#jobId = jobId;
    const matrix = el("div", { class: "matrix" }, this.#plot);
    const heads = ["Class", "Images", "Wrong", "Error"].map((name) => el("th", { scope: "col" }, name));
    const table = el("table", { "aria-label": "Classes" }, el("thead", {}, el("tr", {}, ...heads)), this.#classes);
    this.root = el(
      "div",
      { class: "evaluation", hidden: true },
      el("section", { class: "panel" }, el("h2", {}, "Confusion matrix"), matrix),
      el("section", { class: "panel" }, el("h2", {}, "Hardest classes"), table),
      el("section", { class: "panel wide" }, this.#count, this.#wrong),
    );
    dark.addEventListener("change", this.#repaint);
  }

  /** Shows the job's evaluation, which never changes once it is there. */
  async draw(job, signal) {
    if (this.#found || this.#reading || !job.result?.files?.[FILE]) return;
    this.#reading = true;
    try {
      const file = new Resource(`${jobPath(this.#jobId)}/files/${FILE}`);
      await file.read(signal);
      this.#found = file.value;
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
    if (this.#drawn) window.Plotly.purge(this.#plot);
    this.#drawn = false;
  }

  #drawClasses() {
    const missed = (row) => row.samples - row.correct;
    const worst = [...this.#found.per_class]
      .filter((row) => row.samples)
      .sort((a, b) => a.accuracy - b.accuracy || b.samples - a.samples)
      .slice(0, WORST);
    const rows = worst.map((row) => {
      const cells = [row.class, count(row.samples), count(missed(row)), errorRate(1 - row.accuracy)];
      return el("tr", {}, ...cells.map((text) => el("td", {}, text)));
    });
    this.#classes.replaceChildren(...rows);
  }

  #drawWrong() {
    const { wrong, wrong_total: total } = this.#found;
    setText(this.#count, total ? `Wrong examples: ${count(total)}, the surest first` : "No wrong examples");
    this.#wrong.replaceChildren(...wrong.filter((each) => each.preview).map(mistake));
  }

  async #drawMatrix() {
    if (!this.#found) return;
    const { class_names: names, confusion_matrix: matrix } = this.#found;
    const Plotly = await loadPlotly();
    const few = names.length <= LABELLED;
    const trace = {
      type: "heatmap",
      x: names,
      y: names,
      // A class with many images must not outshine the others: each row is shares of its class.
      z: matrix.map((row) => {
        const all = row.reduce((sum, value) => sum + value, 0);
        return row.map((value) => (all ? value / all : 0));
      }),
      customdata: matrix,
      text: few ? matrix.map((row) => row.map((value) => value || "")) : undefined,
      texttemplate: few ? "%{text}" : undefined,
      hovertemplate: "%{y} taken for %{x}: %{customdata}<extra></extra>",
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

function mistake(wrong) {
  const said = `${wrong.class}, taken for ${wrong.predicted}`;
  return el(
    "li",
    { title: wrong.image },
    el("img", { src: wrong.preview, alt: `${wrong.image}: ${said}` }),
    el("span", {}, el("b", {}, wrong.class), " → ", wrong.predicted),
    el("small", {}, `${Math.round(wrong.confidence * 100)} % sure`),
  );
}

// A chart of some of a job's metrics over its steps, drawn by plotly.

import { el, setAttributes, setText } from "../../parts/dom.js";
import { count, metricTitle, namedMetric } from "../../text/format.js";
import { colour, dark, loadPlotly, plainLayout } from "./plotly.js";
import { plotText } from "../../text/user_text.js";

/** `picks(name)` is true for the series to draw; `isFraction` draws them as percentages. */
export class Chart {
  #picks;
  #isFraction;
  #series = {};
  #title;
  #legend = el("ul", { class: "legend" });
  #plot = el("div", { class: "plot", role: "img" });
  #note = el("p", { class: "plot-note" }, "No values yet");
  #drawn = false;
  #resizes = new ResizeObserver(() => {
    if (this.#drawn) globalThis.Plotly.Plots.resize(this.#plot);
  });
  #repaint = () => this.draw(this.#series);

  constructor(title, picks, { isFraction = false } = {}) {
    this.#title = title;
    this.#picks = picks;
    this.#isFraction = isFraction;
    const caption = el("figcaption", {}, el("h2", {}, title), this.#legend);
    const box = el("div", { class: "plot-box" }, this.#plot, this.#note);
    this.root = el("figure", { class: "panel chart" }, caption, box);
    setAttributes(this.#plot, { "aria-label": title });
    dark.addEventListener("change", this.#repaint);
    this.#resizes.observe(this.#plot);
  }

  /** Draws the chart's series of `{name: [[step, value], …]}`. */
  async draw(series) {
    this.#series = series;
    const own = Object.entries(series).filter(([name, points]) => this.#picks(name) && points.length);
    this.#showLegend(own);
    if (!own.length) return;
    try {
      const Plotly = await loadPlotly();
      await Plotly.react(this.#plot, this.#traces(own), this.#layout(), { displayModeBar: false });
      this.#drawn = true;
      this.#note.hidden = true;
    } catch (error) {
      this.#note.hidden = false;
      setText(this.#note, error.message);
    }
  }

  close() {
    dark.removeEventListener("change", this.#repaint);
    this.#resizes.disconnect();
    if (this.#drawn) globalThis.Plotly.purge(this.#plot);
    this.#drawn = false;
  }

  #showLegend(own) {
    const lines = own.map(([name, points]) => {
      const [, last] = points.at(-1);
      return [name, `${metricTitle(name)} ${namedMetric(name, last)}`];
    });
    while (this.#legend.children.length > lines.length) this.#legend.lastElementChild.remove();
    lines.forEach(([name, text], index) => {
      const item = this.#legend.children[index] ?? this.#legend.appendChild(el("li"));
      setAttributes(item, { "data-line": index + 1, "data-series": name });
      setText(item, text);
    });
    const step = Math.max(0, ...own.map(([, points]) => points.at(-1)[0]));
    const summary = lines.map(([, text]) => text).join(", ");
    setAttributes(this.#plot, {
      "aria-label": lines.length ? `${this.#title} at step ${count(step)}: ${summary}` : this.#title,
    });
  }

  #traces(own) {
    const scale = this.#isFraction ? 100 : 1;
    const value = this.#isFraction ? "%{y:.2f} %" : "%{y:.4g}";
    return own.map(([name, points], index) => ({
      type: "scatter",
      // With few points, markers are added so that a single point is visible.
      mode: points.length > 40 ? "lines" : "lines+markers",
      name: plotText(metricTitle(name)),
      x: points.map(([step]) => step),
      y: points.map(([, measured]) => measured * scale),
      line: { color: colour(`--line-${(index % 4) + 1}`), width: 1.75 },
      marker: { size: 5 },
      hovertemplate: value,
    }));
  }

  #layout() {
    const axis = {
      gridcolor: colour("--grid"),
      linecolor: colour("--grid"),
      zeroline: false,
      automargin: true,
      fixedrange: false,
    };
    return {
      ...plainLayout(),
      uirevision: "kept",
      height: 240,
      margin: { l: 44, r: 12, t: 8, b: 34 },
      hovermode: "x unified",
      xaxis: {
        ...axis,
        title: { text: "step", standoff: 6 },
        tickformat: "~s",
        hoverformat: ",d",
        rangemode: "tozero",
      },
      yaxis: { ...axis, ticksuffix: this.#isFraction ? " %" : "", nticks: 6 },
    };
  }
}

// Loads plotly when a page first draws with it, and gives it the page's colours.

import { el } from "../../parts/dom.js";

let loading = null;

/** Resolves to plotly; rejects if it cannot be loaded, and the next call tries again. */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = el("script", { src: new URL("../../plotly.min.js", import.meta.url).href });
    script.addEventListener("load", () => resolve(globalThis.Plotly));
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
      reject(new Error("The charts could not be loaded."));
    });
    document.head.append(script);
  });
  return loading;
}

export const dark = matchMedia("(prefers-color-scheme: dark)");

export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The layout of every plot: transparent, with the page's font and colours. */
export const plainLayout = () => ({
  showlegend: false,
  paper_bgcolor: "transparent",
  plot_bgcolor: "transparent",
  font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--quiet") },
  hoverlabel: {
    bgcolor: colour("--panel"),
    bordercolor: colour("--edge"),
    font: { color: colour("--ink") },
  },
});

// The buttons of a chart: back from a zoom, its picture, its values.

import { html } from "../parts/html.js";
import { colour } from "./colours.js";
import { save } from "./saving.js";
import { csvOf } from "./series.js";

export function ChartTools({ title, series, xName, view, plot }) {
  const name = title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return html`
    <span class="chart-tools">
      ${view.range.value && html`<button type="button" class="tool" onClick=${() => view.back()}>Zoom back</button>`}
      <button type="button" class="tool" aria-label=${`${title} as PNG`} onClick=${() => savePicture(plot.canvas(), `${name}.png`)}>PNG</button>
      <button type="button" class="tool" aria-label=${`${title} as CSV`} onClick=${() => save(new Blob([csvOf(xName, series)], { type: "text/csv" }), `${name}.csv`)}>CSV</button>
    </span>
  `;
}

/** The plot on the page's ground, which its own canvas leaves out. */
function savePicture(canvas, name) {
  if (!canvas) return;
  const picture = document.createElement("canvas");
  picture.width = canvas.width;
  picture.height = canvas.height;
  const context = picture.getContext("2d");
  context.fillStyle = colour("--panel");
  context.fillRect(0, 0, picture.width, picture.height);
  context.drawImage(canvas, 0, 0);
  picture.toBlob((blob) => save(blob, name), "image/png");
}

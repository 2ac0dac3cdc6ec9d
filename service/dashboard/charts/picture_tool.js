// A button that saves a drawing of its panel as a file that looks the same everywhere.

import { useRef } from "../vendor/preact.js";
import { html } from "../parts/html.js";
import { colour } from "./colours.js";
import { save } from "./saving.js";

/** What the sheets of the page say of an element; a file is drawn without them. */
const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "font-family", "font-size", "font-weight", "paint-order", "stroke-linejoin"];

/** @param {{of: string, name: string}} props Saves the first drawing of the section that it is in. */
export function PictureTool({ of, name }) {
  const button = useRef(null);
  const saveDrawing = () => {
    const drawing = button.current.closest("section").querySelector("svg");
    if (drawing) save(new Blob([svgOf(drawing)], { type: "image/svg+xml" }), `${name}.svg`);
  };
  return html`<button type="button" class="tool" ref=${button} aria-label=${`${of} as SVG`} onClick=${saveDrawing}>SVG</button>`;
}

/** The drawing as text, with its own styles and on the page's ground. */
function svgOf(drawing) {
  const copy = drawing.cloneNode(true);
  const [width, height] = ["width", "height"].map((name) => drawing.getAttribute(name));
  copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const originals = drawing.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, index) => {
    const styles = getComputedStyle(originals[index]);
    element.setAttribute("style", STYLES.map((name) => `${name}:${plain(styles.getPropertyValue(name))}`).join(";"));
    element.removeAttribute("class");
  });
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", colour("--panel")]]) ground.setAttribute(name, value);
  copy.prepend(ground);
  return new XMLSerializer().serializeToString(copy);
}

/** A value of a style; a mixed colour as red, green and blue, since few programs know another space. */
function plain(value) {
  if (!/^(color|oklab)\(/.test(value)) return value;
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.fillStyle = value;
  context.fillRect(0, 0, 1, 1);
  return `rgb(${[...context.getImageData(0, 0, 1, 1).data].slice(0, 3).join(",")})`;
}

// A curve the height of a line of text, without axes.

import { html } from "./html.js";

const WIDTH = 96;
const HEIGHT = 26;
const MARGIN = 2;

/**
 * The curve of values over steps; where a value is not a number it breaks.
 * @param {{points: [number, number | null][], label: string}} props
 */
export function Sparkline({ points, label }) {
  const path = pathOf(points);
  if (!path) return null;
  return html`
    <svg class="sparkline" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
      <path d=${path} />
    </svg>
  `;
}

/** The commands of an SVG path; nothing for fewer than two finite values. */
export function pathOf(points) {
  const finite = points.filter(([, value]) => Number.isFinite(value));
  if (finite.length < 2) return "";
  const x = scaleOf(finite.map(([step]) => step), WIDTH);
  const y = scaleOf(finite.map(([, value]) => value), HEIGHT);
  let isOpen = false;
  const commands = points.map(([step, value]) => {
    if (!Number.isFinite(value)) {
      isOpen = false;
      return "";
    }
    const command = `${isOpen ? "L" : "M"}${x(step).toFixed(1)} ${(HEIGHT - y(value)).toFixed(1)}`;
    isOpen = true;
    return command;
  });
  return commands.join("");
}

function scaleOf(values, size) {
  const least = Math.min(...values);
  const span = Math.max(...values) - least;
  const room = size - 2 * MARGIN;
  // Equal values are a line in the middle.
  return (value) => MARGIN + (span > 0 ? ((value - least) / span) * room : room / 2);
}

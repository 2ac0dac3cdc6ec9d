// The lines of a chart with their values at the cursor, or their last ones; a click hides a line.

import { html } from "../parts/html.js";

/**
 * @param {object} props
 * @param {(import("./series.js").Series & {line: number, isHidden: boolean})[]} props.lines
 * @param {any[]} props.data The columns of the plot: x, then `perLine` columns for each line.
 * @param {import("../vendor/preact.js").Signal<number | null>} props.index Where the cursor is.
 * @param {number} props.perLine
 * @param {(id: string) => void} props.onToggle
 */
export function Legend({ lines, data, index, perLine, onToggle }) {
  return html`
    <ul class="legend">
      ${lines.map((line, number) => {
        // A line without a point keeps its colour for other charts, and is not here.
        if (!line.points.length) return null;
        const values = data[1 + number * perLine] ?? [];
        return html`<${Entry} key=${line.id} line=${line} value=${valueAt(values, index.value)} onToggle=${onToggle} />`;
      })}
    </ul>
  `;
}

function Entry({ line: { id, label, line, isHidden, format }, value, onToggle }) {
  const text = value === undefined ? "" : value === null ? "not finite" : format(value);
  return html`
    <li data-line=${(line % 8) + 1} data-series=${id}>
      <button type="button" class="legend-entry" aria-pressed=${!isHidden} onClick=${() => onToggle(id)}>
        ${label} <span class="legend-value">${text}</span>
      </button>
    </li>
  `;
}

/** The value at an index, or the last one before it that the line has; without an index the last. */
function valueAt(values, index) {
  for (let at = index ?? values.length - 1; at >= 0; at -= 1) if (values[at] !== undefined) return values[at];
  return undefined;
}

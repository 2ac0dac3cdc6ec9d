// A confusion matrix: a table with numbers for few classes, a picture of its cells for many.

import { useEffect, useRef } from "../../vendor/preact.js";
import { colour, isDark } from "../../charts/colours.js";
import { html } from "../../parts/html.js";
import { count } from "../../text/format.js";
import { shownName } from "../../text/user_text.js";

const MOST_NUMBERED = 40;

/** @param {{names: string[], matrix: number[][]}} props A row for each class, a column for each prediction. */
export function ConfusionMatrix({ names, matrix }) {
  // Each row by its sum, so that classes with many images do not look different.
  const shares = matrix.map((row) => {
    const all = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => (all ? value / all : 0));
  });
  const props = { names: names.map(shownName), matrix, shares };
  return names.length <= MOST_NUMBERED ? html`<${Numbers} ...${props} />` : html`<${Picture} ...${props} />`;
}

function Numbers({ names, matrix, shares }) {
  return html`
    <div class="confusion scrolled" tabindex="0" role="region" aria-label="Confusion matrix">
      <table>
        <thead>
          <tr><td>class \\ predicted</td>${names.map((name) => html`<th key=${name} scope="col"><span title=${name}>${name}</span></th>`)}</tr>
        </thead>
        <tbody>
          ${names.map(
            (name, row) => html`
              <tr key=${name}>
                <th scope="row" title=${name}>${name}</th>
                ${matrix[row].map(
                  (value, column) => html`
                    <td
                      key=${column}
                      class=${row === column ? "right" : "wrong"}
                      style=${{ "--share": shares[row][column] }}
                      title=${`${name} predicted as ${names[column]}: ${count(value)}`}
                    >${value || ""}</td>
                  `,
                )}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

/** One pixel of a canvas a cell: a thousand classes have a million cells. */
function Picture({ names, matrix, shares }) {
  const canvas = useRef(null);
  const note = useRef(null);
  useEffect(() => draw(canvas.current, shares), [shares, isDark.value]);
  const tell = ({ offsetX, offsetY }) => {
    const cell = (offset, size) => Math.min(Math.floor((offset / size) * names.length), names.length - 1);
    const [row, column] = [cell(offsetY, canvas.current.clientHeight), cell(offsetX, canvas.current.clientWidth)];
    note.current.textContent = `${names[row]} predicted as ${names[column]}: ${count(matrix[row][column])}`;
  };
  return html`
    <canvas
      class="confusion-picture"
      role="img"
      aria-label=${`Confusion matrix of ${count(names.length)} classes`}
      width=${names.length}
      height=${names.length}
      ref=${canvas}
      onMouseMove=${tell}
    ></canvas>
    <p class="quiet" ref=${note}>Each row is a class, each column what was predicted.</p>
  `;
}

function draw(canvas, shares) {
  const context = canvas.getContext("2d");
  context.fillStyle = colour("--panel");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = colour("--line-1");
  shares.forEach((row, y) =>
    row.forEach((share, x) => {
      if (!share) return;
      // Rare confusions would not be seen if the shade were the share itself.
      context.globalAlpha = Math.sqrt(share);
      context.fillRect(x, y, 1, 1);
    }),
  );
  context.globalAlpha = 1;
}

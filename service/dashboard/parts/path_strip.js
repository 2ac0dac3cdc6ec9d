// A path through a supernet as a strip: a cell for each place with its choice, apart by stages.

import { byStages, choiceOf, marksOf } from "../text/paths.js";
import { html } from "./html.js";

/**
 * @param {object} props
 * @param {string} props.blocks A digit for each place.
 * @param {number[]} [props.stages] The units of each stage.
 */
export function PathStrip({ blocks, stages = [] }) {
  return html`
    <span class="strip" role="img" aria-label=${`Path ${marksOf(blocks, stages)}`} title=${blocks}>
      ${byStages(blocks, stages).map(
        ({ first, values }) => html`
          <span key=${first}>${values.map((digit, index) => html`<i key=${index} data-choice=${digit}>${choiceOf(digit).mark}</i>`)}</span>
        `,
      )}
    </span>
  `;
}

/** What the marks of strips are. */
export function PathKey({ choices }) {
  return html`
    <ul class="strip-key" aria-label="Choices of a place">
      ${choices.map(({ digit, mark, title }) => html`<li key=${digit}><i class="cell" data-choice=${digit}>${mark}</i> ${title}</li>`)}
    </ul>
  `;
}

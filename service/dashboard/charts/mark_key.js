// What the marks of charts are, in words: one entry a kind, and all of its marks for screen readers.

import { html } from "../parts/html.js";

const NAMES = new Map([
  ["attempt", "attempt"],
  ["pause", "pause"],
  ["checkpoint", "checkpoint"],
  ["best", "best checkpoint"],
  ["phase", "batch norm"],
  ["broken", "not finite"],
]);
const MOST_NAMED = 20;

/** @param {{marks: import("./marks.js").Mark[]}} props */
export function MarkKey({ marks }) {
  const kinds = [...NAMES].filter(([kind]) => marks.some((mark) => mark.kind === kind));
  if (!kinds.length) return null;
  return html`
    <ul class="mark-key" aria-label="Marks in the charts">
      ${kinds.map(
        ([kind, name]) => html`
          <li key=${kind} data-mark=${kind}>${name}<span class="unseen">: ${labelsOf(marks, kind)}</span></li>
        `,
      )}
    </ul>
  `;
}

function labelsOf(marks, kind) {
  const labels = marks.filter((mark) => mark.kind === kind).map(({ label }) => label);
  const more = labels.length - MOST_NAMED;
  return [...labels.slice(-MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join("; ");
}

// One candidate of a search in a line: its path, what was measured, the training of it.

import { lacksRole } from "../../api/session.js";
import { html } from "../../parts/html.js";
import { PathStrip } from "../../parts/path_strip.js";
import { addressOf } from "../../state/route.js";
import { fitnessText, generationText, millions, originText } from "../../text/candidates.js";
import { marksOf } from "../../text/paths.js";

/** @param {{search: import("./search_scatter.js").Search, candidate: import("../../api/types").Candidate}} props */
export function CandidateLine({ search, candidate }) {
  const { summary, stages } = search;
  const origin = candidate.generation > 0 ? `, ${originText(candidate)}` : "";
  return html`
    <p class="candidate-line" data-candidate=${candidate.blocks}>
      <${PathStrip} blocks=${candidate.blocks} stages=${stages} />
      <span>
        <b>${fitnessText(candidate, summary.fitness)}</b> · ${millions(candidate.multiply_adds)} · ${generationText(candidate)}${origin}${" "}
        ${candidate.blocks === summary.best?.blocks && html`<span class="tag">best</span>`}
      </span>
      <${TrainThis} search=${search} candidate=${candidate} />
    </p>
  `;
}

/** A link to the form of a training of a path; nothing for who may not submit, or before it is known of what recipe. */
export function TrainThis({ search: { job, summary, stages }, candidate }) {
  if (lacksRole("user") || !summary.recipe) return null;
  const address = addressOf(["submit"], { from: job.id, path: candidate.blocks });
  return html`<a class="train-this" href=${address} aria-label=${`Train this: path ${marksOf(candidate.blocks, stages)}`}>Train this</a>`;
}

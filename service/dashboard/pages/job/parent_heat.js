// How often each choice stands at each place of the parents of a search, as a table for each stage.

import { html } from "../../parts/html.js";
import { PathKey } from "../../parts/path_strip.js";
import { counted } from "../../text/format.js";
import { byStages, choicesOf } from "../../text/paths.js";

/** More places than a narrow page has room for are scrolled sideways. */
const MOST_IN_SIGHT = 9;

/** @param {{search: import("./search_scatter.js").Search}} props */
export function ParentHeat({ search: { summary, stages } }) {
  const { heat, parents } = summary;
  const choices = choicesOf(summary.choices);
  // A summary has the best of them alone, where there are very many.
  const most = parents.length + (summary.left_out?.["/parents"] ?? 0);
  return html`
    <section class="panel search-heat">
      <h2>Choices of the parents</h2>
      <p class="quiet">${most ? `How many of ${counted(most, "parent has", "parents have")} a choice at a place.` : "No parents yet."}</p>
      <div class="heat">
        ${byStages(heat, stages).map(
          ({ first, values }, index) => html`<${Stage} key=${first} title=${titleOf(index, stages, first, values.length)} first=${first} heat=${values} choices=${choices} most=${most} />`,
        )}
      </div>
      <${PathKey} choices=${choices} />
    </section>
  `;
}

function titleOf(index, stages, first, many) {
  const places = many > 1 ? `places ${first} to ${first + many - 1}` : `place ${first}`;
  return stages.length ? `Stage ${index + 1}, ${places}` : `Places ${first} to ${first + many - 1}`;
}

function Stage({ title, first, heat, choices, most }) {
  return html`
    <div class="scrolled" ...${heat.length > MOST_IN_SIGHT ? { tabindex: 0, role: "region", "aria-label": title } : {}}>
      <table aria-label=${title}>
        <thead>
          <tr><td></td>${heat.map((_, index) => html`<th key=${index} scope="col">${first + index}</th>`)}</tr>
        </thead>
        <tbody>
          ${choices.map(
            ({ digit, mark, title: name }) => html`
              <tr key=${digit}>
                <th scope="row" title=${name}>${mark}</th>
                ${heat.map((counts, index) => html`<${Cell} key=${index} place=${first + index} name=${name} many=${counts[digit] ?? 0} most=${most} />`)}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

const Cell = ({ place, name, many, most }) =>
  html`<td style=${{ "--share": most ? many / most : 0 }} title=${`Place ${place}, ${name}: ${many} of ${most}`}>${many || ""}</td>`;

// The candidates of a search: error or loss against multiply-adds, with the Pareto front and the limit.

import { useId, useMemo, useState } from "../../vendor/preact.js";
import { PictureTool } from "../../charts/picture_tool.js";
import { tickText } from "../../charts/plot.js";
import { useWidth } from "../../charts/width.js";
import { html } from "../../parts/html.js";
import { fitnessText, fitnessTitle, formatOf, generationText, millions } from "../../text/candidates.js";
import { counted } from "../../text/format.js";
import { marksOf } from "../../text/paths.js";
import { CandidateLine } from "./candidate_line.js";
import { dotsOf, lateness, measuredOf, nearestOf, placesOf, scalesOf } from "./search_points.js";

const HEIGHT = 320;
const MARGIN = { top: 22, right: 16, bottom: 44, left: 62 };
/** How far each key goes along the front. */
const STEPS = new Map([["ArrowRight", 1], ["ArrowUp", 1], ["ArrowLeft", -1], ["ArrowDown", -1], ["Home", -Infinity], ["End", Infinity]]);

/**
 * @typedef {object} Search What the parts of its page are given.
 * @property {import("../../api/types").Job} job
 * @property {import("../../api/types").SearchSummary} summary
 * @property {import("../../api/types").Candidate[]} candidates
 * @property {number[]} stages
 * @property {number} generations How many there will be.
 */

/**
 * The pointer names the candidate that is nearest, a click keeps it named; the arrow keys go along the front.
 * @param {{search: Search}} props
 */
export function SearchScatter({ search }) {
  const { summary, candidates, stages } = search;
  const { fitness, front, best } = summary;
  const id = useId();
  const [near, setNear] = useState(null);
  const [kept, keep] = useState(null);
  const measured = useMemo(() => measuredOf(candidates, fitness), [candidates, fitness]);
  const shown = near ?? kept ?? best;
  const place = front.findIndex(({ blocks }) => blocks === shown?.blocks);
  const onKeyDown = (event) => {
    if (!STEPS.has(event.key)) return;
    event.preventDefault();
    const to = (place < 0 ? front.findIndex(({ blocks }) => blocks === best?.blocks) : place) + STEPS.get(event.key);
    setNear(null);
    keep(front[Math.min(Math.max(to, 0), front.length - 1)]);
  };
  const slider = {
    role: "slider",
    tabindex: 0,
    "aria-labelledby": id,
    "aria-describedby": `${id}-help`,
    "aria-valuemin": 1,
    "aria-valuemax": front.length,
    "aria-valuenow": Math.max(place, 0) + 1,
    "aria-valuetext": shown && candidateText(shown, fitness, stages),
    onKeyDown,
  };
  return html`
    <section class="panel search-scatter">
      <div class="panel-head">
        <h2 id=${id}>${`${fitnessTitle(fitness)} and multiply-adds`}</h2>
        ${measured.length > 0 && html`<${PictureTool} of="Candidates" name="candidates" />`}
      </div>
      <${Key} search=${search} />
      <div class="scatter-box" ...${front.length ? slider : {}}>
        <${Drawing} search=${search} measured=${measured} shown=${near ?? kept} pick=${setNear} keep=${keep} />
      </div>
      <div class="named">${shown && html`<${CandidateLine} search=${search} candidate=${shown} />`}</div>
      <p class="quiet" id=${`${id}-help`}>${helpOf(candidates.length - measured.length)}</p>
    </section>
  `;
}

const helpOf = (left) =>
  "Arrow keys go along the front; a click keeps a candidate named. The table has all of them" +
  (left ? `, also ${counted(left, "one", "those")} whose loss is not finite.` : ".");

const candidateText = (candidate, fitness, stages) =>
  `${fitnessText(candidate, fitness)} with ${millions(candidate.multiply_adds)} multiply-adds, ${generationText(candidate)}: path ${marksOf(candidate.blocks, stages)}`;

function Key({ search: { generations, summary } }) {
  const ends = generations > 1 ? [1, generations] : [1];
  return html`
    <ul class="scatter-key" aria-label="What is drawn">
      ${ends.map((each) => html`<li key=${each} data-key="dot" style=${{ "--late": lateness(each, generations) }}>generation ${each}</li>`)}
      <li data-key="front">Pareto front</li>
      <li data-key="best">best</li>
      <li data-key="limit">limit of ${millions(summary.macs_limit)}</li>
    </ul>
  `;
}

function Drawing({ search, measured, shown, pick, keep }) {
  const [element, width] = useWidth();
  const { fitness, macs_limit: limit, most_multiply_adds: most } = search.summary;
  const box = { left: MARGIN.left, right: (width ?? 0) - MARGIN.right, top: MARGIN.top, bottom: HEIGHT - MARGIN.bottom };
  const isLimiting = most === null || limit <= most;
  const drawn = useMemo(() => {
    if (!width || !measured.length) return null;
    const scales = scalesOf(measured, { fitness, limit: isLimiting ? limit : null, box });
    const places = placesOf(measured, scales, fitness);
    return { scales, places, dots: dotsOf(places) };
  }, [measured, width, fitness, limit, isLimiting]);
  const at = ({ currentTarget, clientX, clientY }) => {
    const { left, top } = currentTarget.getBoundingClientRect();
    return nearestOf(drawn?.places ?? [], clientX - left, clientY - top);
  };
  return html`
    <div class="drawing" ref=${element}>
      ${!measured.length && html`<p class="plot-note">No candidate is measured yet</p>`}
      ${drawn &&
      html`
        <svg
          width=${width}
          height=${HEIGHT}
          aria-hidden="true"
          onPointerMove=${(event) => pick(at(event))}
          onPointerLeave=${() => pick(null)}
          onClick=${(event) => keep(at(event))}
        >
          <${Axes} scales=${drawn.scales} box=${box} fitness=${fitness} pixels=${search.summary.macs_image_size} />
          ${isLimiting && html`<${Limit} x=${drawn.scales.x.at(limit)} box=${box} />`}
          ${drawn.dots.map(
            ({ generation, path }) => html`<path key=${generation} class="dots" data-generation=${generation} d=${path} style=${{ "--late": lateness(generation, search.generations) }} />`,
          )}
          <${Marked} search=${search} scales=${drawn.scales} shown=${shown} />
        </svg>
      `}
    </div>
  `;
}

function Axes({ scales: { x, y }, box, fitness, pixels }) {
  const format = formatOf(fitness);
  return html`
    <g class="axis">
      ${y.ticks.map(
        (tick) => html`
          <g key=${tick}>
            <line class="grid" x1=${box.left} x2=${box.right} y1=${y.at(tick)} y2=${y.at(tick)} />
            <text x=${box.left - 8} y=${y.at(tick) + 4} text-anchor="end">${tickText(tick, format)}</text>
          </g>
        `,
      )}
      ${x.ticks.map((tick) => html`<text key=${tick} x=${x.at(tick)} y=${box.bottom + 18} text-anchor="middle">${millions(tick)}</text>`)}
      <line x1=${box.left} x2=${box.right} y1=${box.bottom} y2=${box.bottom} />
      <text x=${(box.left + box.right) / 2} y=${HEIGHT - 6} text-anchor="middle" class="axis-title">${`multiply-adds of an image of ${pixels} px`}</text>
    </g>
  `;
}

function Limit({ x, box }) {
  return html`
    <g class="limit">
      <line x1=${x} x2=${x} y1=${box.top - 6} y2=${box.bottom} />
      <text x=${x - 6} y=${box.top - 8} text-anchor="end">limit</text>
    </g>
  `;
}

/** The front, the best and the candidate that is named, above all dots. */
function Marked({ search, scales, shown }) {
  const { fitness, front, best } = search.summary;
  const of = (candidates) => placesOf(measuredOf(candidates, fitness), scales, fitness);
  const [first] = best ? of([best]) : [];
  const [named] = shown ? of([shown]) : [];
  return html`
    <polyline class="front" points=${of(front).map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ")} />
    ${of(front).map(({ candidate, x, y }) => html`<circle key=${candidate.blocks} class="front-dot" cx=${x} cy=${y} r="4" />`)}
    ${first && html`<text class="best-star" x=${first.x} y=${first.y} dy="0.36em" text-anchor="middle">★</text>`}
    ${named && html`<circle class="named-dot" cx=${named.x} cy=${named.y} r="9" />`}
  `;
}

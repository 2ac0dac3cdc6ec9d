// One line a trial through an axis for each parameter, and through what it measured at the end.

import { useId, useState } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { addressOf, navigate } from "../../state/route.js";
import { namedMetric } from "../../text/format.js";
import { metricOf, parametersText } from "../../text/sweeps.js";
import { axesOf } from "./trial_axes.js";

const HEIGHT = 280;
const MARGIN = { top: 34, bottom: 18, left: 70, right: 110 };
const LEAST_WIDTH = 960;
const AXIS_WIDTH = 120;
const LONGEST_TEXT = 16;
/** How far each key goes through the trials. */
const STEPS = new Map([["ArrowRight", 1], ["ArrowUp", 1], ["ArrowLeft", -1], ["ArrowDown", -1], ["Home", -Infinity], ["End", Infinity]]);

/** Nothing before a trial has begun. The arrow keys go from trial to trial, and Enter opens the job. */
export function TrialLines({ sweep, trials }) {
  const id = useId();
  const [picked, pick] = useState(null);
  const axes = axesOf(sweep, trials);
  if (!axes.length) return null;
  const best = sweep.best?.number;
  const shown = trials.find(({ number }) => number === picked) ?? trials.find(({ number }) => number === best) ?? trials[0];
  const onKeyDown = (event) => {
    if (event.key === "Enter" && shown.job_id) navigate(addressOf(["jobs", shown.job_id]));
    if (!STEPS.has(event.key)) return;
    event.preventDefault();
    const place = trials.indexOf(shown) + STEPS.get(event.key);
    pick(trials[Math.min(Math.max(place, 0), trials.length - 1)].number);
  };
  return html`
    <section class="panel" onMouseLeave=${() => pick(null)}>
      <h2 id=${id}>Parameters and value</h2>
      <div
        class="trial-lines"
        role="slider"
        tabindex="0"
        aria-labelledby=${id}
        aria-describedby=${`${id}-help`}
        aria-valuemin=${trials[0].number}
        aria-valuemax=${trials.at(-1).number}
        aria-valuenow=${shown.number}
        aria-valuetext=${trialText(sweep, shown)}
        onKeyDown=${onKeyDown}
        onBlur=${() => pick(null)}
      ><${Drawing} axes=${axes} trials=${trials} best=${best} picked=${picked} pick=${pick} /></div>
      <p class="trial-name">${trialText(sweep, shown)}${shown.job_id && html` · <a href=${addressOf(["jobs", shown.job_id])}>its job</a>`}</p>
      <p class="quiet" id=${`${id}-help`}>Arrow keys go from trial to trial. The table of trials has the same.</p>
    </section>
  `;
}

function trialText(sweep, trial) {
  const value = Number.isFinite(trial.value) ? namedMetric(metricOf(sweep), trial.value) : "no value yet";
  return `Trial ${trial.number}${trial.number === sweep.best?.number ? ", the best" : ""}: ${parametersText(trial.parameters)}; ${value}`;
}

function Drawing({ axes, trials, best, picked, pick }) {
  const width = Math.max(LEAST_WIDTH, MARGIN.left + MARGIN.right + (axes.length - 1) * AXIS_WIDTH);
  const x = (index) => MARGIN.left + (index * (width - MARGIN.left - MARGIN.right)) / (axes.length - 1);
  // What is drawn last is above the others.
  const rankOf = ({ number }) => (number === picked ? 2 : number === best ? 1 : 0);
  const ordered = [...trials].sort((one, other) => rankOf(one) - rankOf(other));
  const classOf = (trial) =>
    ["job-line", trial.number === best && "best", picked !== null && trial.number !== picked && "faint", trial.number === picked && "picked"].filter(Boolean).join(" ");
  return html`
    <svg class="parallel" viewBox=${`0 0 ${width} ${HEIGHT}`} style=${{ "--axes": axes.length }} aria-hidden="true">
      ${ordered.map((trial) => {
        const points = pointsOf(axes, trial, x);
        return html`
          <g key=${trial.number} data-trial=${trial.number} onMouseEnter=${() => pick(trial.number)}>
            <polyline class="reach" points=${points} /><polyline class=${classOf(trial)} points=${points} />
          </g>
        `;
      })}
      ${axes.map((axis, index) => html`<${AxisLine} key=${axis.name} axis=${axis} x=${x(index)} isLast=${index === axes.length - 1} />`)}
    </svg>
  `;
}

const heightOf = (part) => HEIGHT - MARGIN.bottom - part * (HEIGHT - MARGIN.top - MARGIN.bottom);

/** The line of a trial passes the axes of which it has no value. */
function pointsOf(axes, trial, x) {
  const places = axes.map((axis, index) => ({ at: x(index), part: axis.partOf(trial) }));
  return places
    .filter(({ part }) => part !== null)
    .map(({ at, part }) => `${at.toFixed(1)},${heightOf(part).toFixed(1)}`)
    .join(" ");
}

function AxisLine({ axis, x, isLast }) {
  return html`
    <g class="axis">
      <line x1=${x} x2=${x} y1=${MARGIN.top} y2=${HEIGHT - MARGIN.bottom} />
      <text x=${x} y="14" text-anchor="middle" class="axis-title">${cut(axis.title)}<title>${axis.title}</title></text>
      ${axis.ticks.map(
        ({ part, text }) => html`<text key=${part} x=${x + (isLast ? 8 : -8)} y=${heightOf(part) + 4} text-anchor=${isLast ? "start" : "end"}>${cut(text)}</text>`,
      )}
    </g>
  `;
}

const cut = (text) => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text);

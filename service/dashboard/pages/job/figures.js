// The figures of a job: what it measures, its times, and where the time went.

import { Definitions } from "../../parts/definitions.js";
import { html } from "../../parts/html.js";
import { isEnded } from "../../parts/states.js";
import { now } from "../../state/now.js";
import { age, exactTime, duration, metricTitle, namedMetric, NONE, rate, validationTitle } from "../../text/format.js";
import { viewOf } from "../../text/kinds.js";
import { partsOf, shareText } from "../../text/time_spent.js";

const ALWAYS = ["loss", "val_loss", "top1_error", "top5_error"];
// Shown elsewhere, or constant.
const HIDDEN = ["images_per_second", "samples"];

export function Figures({ job }) {
  return html`
    <section class="figures"><h2 class="unseen">Figures</h2><${Definitions} entries=${[...metricsOf(job), ...timesOf(job)]} /></section>
  `;
}

function metricsOf(job) {
  const { figures } = viewOf(job);
  if (figures === "none") return [];
  const fromResult = figures === "result";
  const names = fromResult ? ["loss", "top1_error", "top5_error"] : ALWAYS;
  const values = new Map(Object.entries(fromResult ? (job.result ?? {}) : job.metrics));
  const shown = new Set([...ALWAYS, ...HIDDEN]);
  const others = fromResult ? [] : [...values.keys()].filter((name) => !shown.has(name));
  const title = fromResult ? validationTitle : metricTitle;
  const entries = [...names, ...others].map((name) => ({ name: title(name), value: namedMetric(name, values.get(name)) }));
  const speed = values.get("images_per_second") ?? job.progress.images_per_second;
  return [...entries, { name: metricTitle("images_per_second"), value: rate(speed) }];
}

function timesOf(job) {
  const ended = isEnded(job);
  const eta = job.progress.eta_seconds;
  const left = job.state === "running" && eta != null ? duration(eta) : NONE;
  const ran = job.started_at ? duration(secondsSince(job.started_at, job.finished_at)) : NONE;
  return [
    ended
      ? { name: "Finished", value: age(secondsSince(job.finished_at)), title: exactTime(job.finished_at) }
      : { name: "Time left", value: left },
    { name: ended ? "Took" : "Running for", value: ran, title: `started ${exactTime(job.started_at)}` },
    { name: "Submitted", value: age(secondsSince(job.created_at)), title: exactTime(job.created_at) },
    { name: "Attempt", value: job.attempt ? String(job.attempt) : NONE },
  ];
}

const secondsSince = (start, end = null) => (start ? ((end ? Date.parse(end) : now.value) - Date.parse(start)) / 1000 : null);

/** One bar for where the time of a job went, and each part as a text; nothing while none is known. */
export function TimeSpent({ spent }) {
  const parts = partsOf(spent ?? {});
  if (!parts.length) return null;
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  return html`
    <section class="time-spent">
      <h2>Where the time went</h2>
      <div class="time-bar" role="img" aria-label=${`Where the time went: ${parts.map(shareText).join(", ")}`}>
        ${parts.map(({ name, line, share }) => html`<span key=${name} data-line=${line} style=${{ "--part": share }}></span>`)}
      </div>
      <ul class="legend">
        ${parts.map((part) => html`<li key=${part.name} data-line=${part.line} title=${duration(part.seconds)}>${shareText(part)}</li>`)}
      </ul>
      <span class="quiet">of ${duration(total)}</span>
    </section>
  `;
}

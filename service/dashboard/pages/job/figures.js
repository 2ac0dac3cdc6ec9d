// Lists of named values: a job's figures, and its result.

import { secondsSince } from "../../api/client.js";
import { el, reconcile, setAttributes, setText } from "../../parts/dom.js";
import { age, count, dateAndTime, duration, metricTitle, namedMetric, NONE, rate, validationTitle } from "../../text/format.js";
import { viewOf } from "../../text/kinds.js";
import { isEnded } from "../../parts/states.js";

const ALWAYS = ["loss", "val_loss", "top1_error", "top5_error"];
// Shown elsewhere, or constant.
const HIDDEN = ["images_per_second", "samples"];

export class Figures {
  #nodes = new Map();
  #list = el("dl");
  #none = el("p", { class: "quiet", hidden: true });

  constructor(title, kind) {
    const heading = el("h2", { class: kind.startsWith("panel") ? null : "unseen" }, title);
    this.root = el("section", { class: kind }, heading, this.#none, this.#list);
  }

  /** Shows `[name, text, title?]` entries, or the text `none` if there are no entries. */
  draw(pairs, none = "") {
    reconcile(this.#list, this.#nodes, pairs, {
      key: ([name]) => name,
      make: ([name]) => el("div", {}, el("dt", {}, name), el("dd")),
      update: (node, [, text, title]) => {
        setText(node.lastElementChild, text);
        setAttributes(node.lastElementChild, { title });
      },
    });
    setText(this.#none, none);
    this.#none.hidden = pairs.length > 0;
  }

  drawJob(job) {
    this.draw([...metricPairs(job), ...timePairs(job)]);
  }
}

function metricPairs(job) {
  const { figures } = viewOf(job);
  if (figures === "none") return [];
  const fromResult = figures === "result";
  const names = fromResult ? ["loss", "top1_error", "top5_error"] : ALWAYS;
  const values = fromResult ? (job.result ?? {}) : job.metrics;
  const shown = new Set([...ALWAYS, ...HIDDEN]);
  const others = fromResult ? [] : Object.keys(values).filter((name) => !shown.has(name));
  const title = fromResult ? validationTitle : metricTitle;
  const pairs = [...names, ...others].map((name) => [title(name), namedMetric(name, values[name])]);
  const speed = values.images_per_second ?? job.progress.images_per_second;
  return [...pairs, [metricTitle("images_per_second"), rate(speed)]];
}

function timePairs(job) {
  const ended = isEnded(job);
  const eta = job.progress.eta_seconds;
  const left = job.state === "running" && eta != null ? duration(eta) : NONE;
  const ran = job.started_at ? duration(secondsSince(job.started_at, job.finished_at)) : NONE;
  return [
    ended
      ? ["Finished", age(secondsSince(job.finished_at)), dateAndTime(job.finished_at)]
      : ["Time left", left],
    [ended ? "Took" : "Running for", ran, `started ${dateAndTime(job.started_at)}`],
    ["Submitted", age(secondsSince(job.created_at)), dateAndTime(job.created_at)],
    ["Attempt", job.attempt ? String(job.attempt) : NONE],
  ];
}

/** The entries of a job's result; values other than numbers and texts are shown as JSON. */
export const resultPairs = (job) => (job.kind === "check_data" && job.result?.splits ? checkPairs(job.result) : plainPairs(job));

const plainPairs = (job) =>
  Object.entries(job.result ?? {})
    .filter(([name]) => name !== "files")
    .map(([name, value]) => {
      const plain = typeof value === "number" || typeof value === "string";
      return [validationTitle(name), plain ? namedMetric(name, value) : JSON.stringify(value)];
    });

function checkPairs({ data, ok, splits, problems, problems_total: total }) {
  const verdict = ok ? "nothing in it would end a job" : "a job with it would fail";
  const counts = splits.map(({ name, images, classes }) => [name, `${count(images)} images of ${count(classes)} classes`]);
  const texts = problems.map(({ ends_job: ends, text }, index) => [`${ends ? "Problem" : "Note"} ${index + 1}`, text]);
  const left = total - problems.length;
  const more = left > 0 ? [["Others", `${count(left)} more, in the file`]] : [];
  return [["Data", data], ["Verdict", verdict], ...counts, ...texts, ...more];
}

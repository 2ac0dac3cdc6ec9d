// The page of a job: state, metrics, checkpoints, files, log, result and history.

import { ApiProblem, jobPath, pageOf, Resource } from "../../api/client.js";
import { CancelButton } from "./cancel.js";
import { CheckpointTable } from "./checkpoints.js";
import { el, setAttributes, setText } from "../../parts/dom.js";
import { render } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { Evaluation } from "./evaluation.js";
import { JobCharts } from "./job_charts.js";
import { Figures, resultPairs } from "./figures.js";
import { JobFiles } from "./files.js";
import { count, percent, words } from "../../text/format.js";
import { JobActions } from "./job_actions.js";
import { viewOf } from "../../text/kinds.js";
import { Attempts, Events } from "./history.js";
import { titleOf } from "../../text/job_title.js";
import { LogTail } from "./log.js";
import { Part } from "../../parts/part.js";
import { Poller } from "../../api/poll.js";
import { badge, bar, isEnded, setBadge, setBar } from "../../parts/states.js";
import { TimeSpent } from "./time_spent.js";

const POLL_MS = 2_000;
const ENDED_POLL_MS = 15_000;
// Checkpoints and attempts can change without the job, for example by a pin or a purge.
const PARTS_EVERY_POLLS = 5;

export class JobView {
  #id;
  #announce;
  #job;
  #parts;
  #logPart;
  #polls = 0;
  // True if the page does not show the last answer, as after an error.
  #stale = true;
  #partsStale = true;
  #state = null;
  #title = el("h1");
  #badge = badge("queued");
  #identity = el("p", { class: "identity" });
  #labels = el("ul", { class: "labels", "aria-label": "Labels" });
  #bar = bar("Progress");
  #percent = el("span", { class: "percent" });
  #steps = el("span", { class: "steps" });
  #verbs = el("div", { class: "verbs" });
  #callout = el("p", { class: "callout", hidden: true });
  #figures = new Figures("Figures", "figures");
  #timeSpent = new TimeSpent();
  #result = new Figures("Result", "panel result");
  #spec = el("pre", { tabindex: 0 });
  #checkpoints = new CheckpointTable();
  #attempts = new Attempts();
  #charts = el("div");
  #evaluation;
  #files;
  #events;
  #log;
  #cancel;
  #actions = new JobActions((job) => this.#afterAction(job));
  #poller;

  constructor(id, announce) {
    this.#id = id;
    this.#announce = announce;
    const path = jobPath(id);
    this.#job = new Resource(path);
    this.#evaluation = new Evaluation(id);
    this.#files = new JobFiles(id);
    this.#events = new Events(id);
    this.#log = new LogTail(id);
    this.#parts = this.#makeParts(path);
    this.#logPart = new Part("Log", this.#log.root, (signal) => this.#readLog(signal));
    this.#poller = new Poller((signal) => this.#read(signal), POLL_MS, (error) => this.#problem(error));
    this.#cancel = new CancelButton(() => this.#poller.now());
    this.root = el("article", { class: "job-page", "aria-busy": "true" });
    this.root.append(el("p", { class: "back" }, el("a", { href: "#/jobs" }, "← Jobs")), ...this.#layout());
  }

  start() {
    document.title = `${this.#id} – Trainyard`;
    setText(this.#title, this.#id);
    this.#poller.start();
  }

  stop() {
    this.#poller.stop();
    render(null, this.#charts);
    this.#evaluation.close();
    this.#cancel.close();
  }

  tick() {
    if (this.#job.value) this.#figures.drawJob(this.#job.value);
  }

  /** The parts that are read beside the job, each by itself. */
  #makeParts(path) {
    const metrics = new Resource(`${path}/metrics?max_points=600`);
    const checkpoints = new Resource(`${path}/checkpoints`);
    const attempts = new Resource(`${path}/attempts`);
    return [
      new Part("Charts", this.#charts, async (signal) => {
        if (await metrics.read(signal)) render(html`<${JobCharts} series=${metrics.value.series} />`, this.#charts);
      }),
      new Part("Evaluation", this.#evaluation.root, (signal) => this.#evaluation.draw(this.#job.value, signal)),
      new Part("Checkpoints", this.#checkpoints.root, async (signal) => {
        await checkpoints.read(signal);
        this.#checkpoints.draw(checkpoints.value.data, this.#job.value);
      }),
      new Part("Events", this.#events.root, (signal) => this.#events.read(signal)),
      new Part("Attempts", this.#attempts.root, async (signal) => {
        if (await attempts.read(signal)) this.#attempts.draw(attempts.value.data);
      }),
    ];
  }

  /** A retry makes a new job, whose page is opened. */
  #afterAction(job) {
    if (job && job.id !== this.#id) location.hash = pageOf(job.id);
    else this.#poller.now();
  }

  #layout() {
    const name = el("div", { class: "name" }, this.#title, this.#badge);
    const [charts, evaluation, checkpoints, events, attempts] = this.#parts.map((part) => part.root);
    this.#verbs.append(this.#actions.root, this.#cancel.root);
    return [
      el("header", { class: "job-head" }, name, this.#verbs, this.#identity, this.#labels),
      this.#callout,
      el("div", { class: "job-progress" }, this.#bar, this.#percent, this.#steps),
      this.#figures.root,
      this.#timeSpent.root,
      charts,
      evaluation,
      checkpoints,
      this.#files.root,
      this.#logPart.root,
      el("div", { class: "halves" }, this.#result.root, events),
      attempts,
      el("details", { class: "panel spec" }, el("summary", {}, el("h2", {}, "Submission")), this.#spec),
    ];
  }

  async #read(signal) {
    if (await this.#job.read(signal)) this.#stale = true;
    const job = this.#job.value;
    if (this.#stale) {
      this.#draw(job);
      this.#stale = false;
      this.#partsStale = true;
    }
    this.#polls += 1;
    this.#refreshParts(signal);
    return isEnded(job) ? ENDED_POLL_MS : POLL_MS;
  }

  /** Nobody waits for a part: a slow one holds up neither the job nor the others. */
  #refreshParts(signal) {
    const all = this.#partsStale || this.#polls % PARTS_EVERY_POLLS === 0;
    for (const part of this.#parts) if (all || part.failed) part.refresh(signal);
    this.#partsStale = false;
    this.#logPart.refresh(signal);
  }

  async #readLog(signal) {
    try {
      await this.#log.read(this.#job.value.attempt, signal);
    } catch (error) {
      // The log may not exist yet, or have been removed.
      if (!(error instanceof ApiProblem)) throw error;
      this.#log.problem(error);
    }
  }

  #draw(job) {
    setAttributes(this.root, { "aria-busy": null });
    this.root.classList.remove("absent");
    this.#announceState(job);
    this.#verbs.hidden = false;
    setText(this.#title, titleOf(job));
    setBadge(this.#badge, job.state);
    setText(this.#identity, [job.id, job.kind, job.recipe, job.variant].filter(Boolean).join(" · "));
    this.#labels.replaceChildren(
      ...Object.entries(job.labels).map(([key, value]) => el("li", { class: "tag" }, `${key}: ${value}`)),
    );
    this.#drawCallout(job);
    setBar(this.#bar, job.progress.fraction, job.state);
    setText(this.#percent, percent(job.progress.fraction));
    const phase = job.state === "running" && job.progress.phase !== "train" ? ` · ${job.progress.phase}` : "";
    setText(this.#steps, `step ${count(job.progress.step)} of ${count(job.progress.total_steps)}${phase}`);
    this.#figures.drawJob(job);
    this.#timeSpent.draw(job.progress.time_spent);
    const noResult = isEnded(job) ? "This job has no result." : "The result is shown when the job has succeeded.";
    this.#result.draw(resultPairs(job), noResult);
    const view = viewOf(job);
    this.#charts.hidden = !view.charts;
    this.#checkpoints.root.hidden = !view.checkpoints;
    this.#files.draw(job);
    setText(this.#spec, JSON.stringify(job.spec, null, 2));
    this.#cancel.show(job);
    this.#actions.show(job);
  }

  #announceState(job) {
    if (this.#state && this.#state !== job.state) this.#announce(`${titleOf(job)} is now ${job.state}`);
    this.#state = job.state;
    const part = job.state === "running" ? `${percent(job.progress.fraction)} ` : "";
    document.title = `${part}${titleOf(job)} – Trainyard`;
  }

  /** Shows why the job waits, or why it ended. */
  #drawCallout(job) {
    const position = job.queue_position ? `Number ${job.queue_position} in the queue` : null;
    const queued = job.state === "queued" ? [position, job.wait_reason].filter(Boolean).join(": ") : "";
    const waits = job.unreadable ?? queued;
    const plain = job.state === "succeeded" || !(job.reason || job.message);
    const reason = job.reason ? words(job.reason) : null;
    const text = plain ? waits : [reason, job.message].filter(Boolean).join(": ");
    setText(this.#callout, text.charAt(0).toUpperCase() + text.slice(1));
    setAttributes(this.#callout, { "data-tone": job.state === "failed" ? "bad" : "waiting" });
    this.#callout.hidden = !text;
  }

  #problem(error) {
    this.#stale = true;
    // 422: it cannot be the id of a job at all.
    const isGone = error.status === 404 || error.status === 422;
    const wasShown = this.#job.value !== null;
    const absence = wasShown ? `${this.#id} has been deleted.` : `There is no job ${this.#id}.`;
    setText(this.#callout, isGone ? absence : error.message);
    if (isGone) this.#verbs.hidden = true;
    setAttributes(this.#callout, { "data-tone": "bad" });
    this.#callout.hidden = false;
    this.root.classList.toggle("absent", !wasShown);
    setAttributes(this.root, { "aria-busy": null });
  }
}

// The list of jobs, newest first, filtered by state, and loaded page by page.

import { pageOf, Resource, secondsSince } from "../../api/client.js";
import { el, reconcile, setAttributes, setText } from "../../parts/dom.js";
import { firstJob, nothingInState } from "./empty.js";
import { age, count, duration, errorRate, metric, NONE, percent, rate, roughly, words } from "../../text/format.js";
import { kindNote } from "../../text/kinds.js";
import { Poller } from "../../api/poll.js";
import { badge, bar, isEnded, setBadge, setBar } from "../../parts/states.js";
import { titleOf } from "../../text/job_title.js";
import { isBlank } from "../../text/user_text.js";

const POLL_MS = 2_000;
const PAGE = 50;
const FILTERS = ["running", "queued", "paused", "succeeded", "failed", "cancelled"];
const COLUMNS = ["State", "Job", "Recipe", "Progress", "Loss", "Top-1 error", "Images/s", "Time"];

export class JobsList {
  #state = null;
  #pages = 1;
  #jobs = [];
  // True if the page does not show the last answers, as after an error.
  #stale = true;
  #resources = new Map();
  #rows = new Map();
  #announce;
  #filters = el("nav", { class: "filters", "aria-label": "Jobs by state" });
  #body = el("tbody", { role: "rowgroup" });
  #table = tableOf(this.#body);
  #note = el("div", { class: "note", "aria-live": "polite" });
  #more = el("button", { type: "button", class: "button more", hidden: true }, "Load more");
  #poller = new Poller((signal) => this.#read(signal), POLL_MS, (error) => this.#problem(error));

  constructor(announce) {
    this.#announce = announce;
    this.#more.addEventListener("click", () => this.#loadMore());
    const head = el("div", { class: "page-head" }, el("h1", {}, "Jobs"), this.#filters);
    this.root = el("div", { class: "jobs" }, head, this.#table, this.#note, this.#more);
    for (const state of [null, ...FILTERS]) {
      const href = state ? `#/jobs?state=${state}` : "#/jobs";
      this.#filters.append(el("a", { href }, state ?? "all"));
    }
    this.filterBy(null);
  }

  /** Shows the jobs in one state, or all (null). */
  filterBy(state) {
    const filter = FILTERS.includes(state) ? state : null;
    if (filter !== this.#state) {
      this.#pages = 1;
      this.#resources.clear();
      this.#stale = true;
    }
    this.#state = filter;
    for (const link of this.#filters.children) {
      const isCurrent = link.textContent === (filter ?? "all");
      setAttributes(link, { "aria-current": isCurrent ? "page" : null });
    }
  }

  start() {
    document.title = "Jobs – Trainyard";
    this.#poller.start();
  }

  stop() {
    this.#poller.stop();
  }

  tick() {
    for (const job of this.#jobs) {
      const row = this.#rows.get(job.id);
      if (row) showTime(row.lastElementChild, job);
    }
  }

  /** Reads the loaded pages in order; each page begins after the current end of the previous one. */
  async #read(signal) {
    const used = new Map();
    const jobs = [];
    let next = null;
    for (let page = 0; page < this.#pages && (page === 0 || next); page += 1) {
      const path = this.#pathAfter(next);
      const resource = this.#resources.get(path) ?? new Resource(path);
      used.set(path, resource);
      if (await resource.read(signal)) this.#stale = true;
      jobs.push(...resource.value.data);
      next = resource.value.has_more ? resource.value.next : null;
    }
    if (used.size !== this.#resources.size) this.#stale = true;
    this.#resources = used;
    if (this.#stale) this.#draw(jobs, next !== null);
    this.#stale = false;
  }

  #pathAfter(cursor) {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (this.#state) query.set("state", this.#state);
    if (cursor) query.set("after", cursor);
    return `jobs?${query}`;
  }

  #draw(jobs, more) {
    const added = jobs.length - this.#jobs.length;
    if (this.#more.getAttribute("aria-busy") && added > 0) this.#announce(`${added} more ${added === 1 ? "job" : "jobs"}`);
    this.#jobs = jobs;
    reconcile(this.#body, this.#rows, jobs, { key: (job) => job.id, make, update });
    this.#table.hidden = jobs.length === 0;
    this.#more.hidden = !more;
    setAttributes(this.#more, { "aria-busy": null });
    if (jobs.length) this.#note.replaceChildren();
    else this.#note.replaceChildren(this.#state ? nothingInState(this.#state) : firstJob());
  }

  #problem(error) {
    this.#stale = true;
    this.#note.replaceChildren(el("p", { class: "callout", "data-tone": "bad" }, error.message));
  }

  #loadMore() {
    this.#pages += 1;
    setAttributes(this.#more, { "aria-busy": "true" });
    this.#poller.now();
  }
}

// The ARIA roles are explicit, since the narrow layout replaces the display type "table".
function tableOf(body) {
  const heads = COLUMNS.map((name) => el("th", { scope: "col", role: "columnheader" }, name));
  const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads));
  const props = { class: "job-table", role: "table", "aria-label": "Jobs", hidden: true };
  return el("table", props, head, body);
}

const CELLS = ["state", "job", "recipe", "progress", "loss", "error", "rate", "time"];

function make(job) {
  const cell = (kind, ...children) =>
    el("td", { class: kind, role: "cell", "data-label": COLUMNS[CELLS.indexOf(kind)] }, ...children);
  return el(
    "tr",
    { role: "row", "data-job": job.id },
    cell("state", badge(job.state)),
    cell("job", el("a", { href: pageOf(job.id) }), el("small")),
    cell("recipe", el("span"), el("small")),
    cell("progress", bar(""), el("span", { class: "percent" }), el("small")),
    cell("loss"),
    cell("error"),
    cell("rate"),
    cell("time", el("span"), el("small")),
  );
}

function update(row, job) {
  const [state, name, recipe, progress, loss, error, speed, time] = row.children;
  setBadge(state.firstElementChild, job.state);
  setText(name.children[0], titleOf(job));
  setAttributes(name.children[0], { class: isBlank(job.name) ? "unnamed" : null });
  setText(name.children[1], isBlank(job.name) ? words(job.kind) : job.id);
  setText(recipe.children[0], job.recipe ?? NONE);
  setText(recipe.children[1], [job.variant, kindNote(job)].filter(Boolean).join(" · "));
  showProgress(progress, job);
  const values = { ...job.metrics, ...job.result };
  setText(loss, metric(job.metrics.loss ?? values.loss));
  setText(error, errorRate(values.top1_error));
  setText(speed, rate(job.progress.images_per_second ?? values.images_per_second));
  showTime(time, job);
}

function showProgress(cell, job) {
  const [progressBar, part, note] = cell.children;
  setAttributes(progressBar, { "aria-label": `Progress of ${titleOf(job)}` });
  setBar(progressBar, job.progress.fraction, job.state);
  setText(part, percent(job.progress.fraction));
  setText(note, progressNote(job));
  setAttributes(note, { title: job.message ?? job.wait_reason });
}

/** The note below the progress bar: why the job waits, why it failed, or its step. */
function progressNote(job) {
  if (job.state === "failed" && job.reason) return words(job.reason);
  if (job.state === "queued") {
    if (job.wait_reason) return job.wait_reason;
    return job.queue_position ? `number ${job.queue_position} in the queue` : "waiting for a worker";
  }
  return `${count(job.progress.step)} of ${count(job.progress.total_steps)}`;
}

function showTime(cell, job) {
  const [main, note] = cell.children;
  const eta = job.progress.eta_seconds;
  if (isEnded(job)) {
    setText(main, job.started_at ? duration(secondsSince(job.started_at, job.finished_at)) : NONE);
    setText(note, age(secondsSince(job.finished_at)));
  } else if (job.state === "running") {
    setText(main, eta == null ? "starting" : `${duration(eta)} left`);
    setText(note, `running ${roughly(secondsSince(job.started_at))}`);
  } else {
    setText(main, age(secondsSince(job.created_at)));
    setText(note, "submitted");
  }
}

// A job's history: its attempts and its events, the newest first.

import { jobPath, Resource, secondsSince } from "../../api/client.js";
import { el, reconcile, setText } from "../../parts/dom.js";
import { dateAndTime, duration, NONE, words } from "../../text/format.js";
import { badge, setBadge } from "../../parts/states.js";

const SHOWN_EVENTS = 200;
const ATTEMPT_COLUMNS = ["Attempt", "State", "Worker", "Started", "Duration", "Reason"];

export class Attempts {
  #rows = new Map();
  #body = el("tbody", { role: "rowgroup" });
  #none = el("p", { class: "quiet" }, "No worker has claimed this job yet.");
  #table;

  constructor() {
    const heads = ATTEMPT_COLUMNS.map((name) => el("th", { scope: "col", role: "columnheader" }, name));
    const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads));
    this.#table = el("table", { role: "table", "aria-label": "Attempts", hidden: true }, head, this.#body);
    this.root = el("section", { class: "panel attempts" }, el("h2", {}, "Attempts"), this.#none, this.#table);
  }

  draw(attempts) {
    const newestFirst = [...attempts].sort((a, b) => b.number - a.number);
    const key = (attempt) => attempt.number;
    reconcile(this.#body, this.#rows, newestFirst, { key, make: makeAttempt, update: updateAttempt });
    this.#table.hidden = attempts.length === 0;
    this.#none.hidden = attempts.length > 0;
  }
}

function makeAttempt(attempt) {
  const cell = (index, ...children) =>
    el("td", { role: "cell", "data-label": ATTEMPT_COLUMNS[index] }, ...children);
  return el(
    "tr",
    { role: "row" },
    cell(0, String(attempt.number)),
    cell(1, badge(attempt.state)),
    cell(2, el("code", {}, attempt.worker_id)),
    cell(3),
    cell(4),
    cell(5),
  );
}

function updateAttempt(row, attempt) {
  const [, state, , started, lasted, end] = row.children;
  setBadge(state.firstElementChild, attempt.state);
  setText(started, dateAndTime(attempt.started_at));
  const seconds = secondsSince(attempt.started_at, attempt.finished_at);
  setText(lasted, attempt.finished_at ? duration(seconds) : NONE);
  const reason = attempt.reason ? words(attempt.reason) : null;
  setText(end, [reason, attempt.message].filter(Boolean).join(": ") || NONE);
}

/** The list of events; each read asks only for events after the last known number. */
export class Events {
  #path;
  #events = new Map();
  #nodes = new Map();
  #list = el("ol", { class: "events" });
  #none = el("p", { class: "quiet" }, "No events yet.");

  constructor(jobId) {
    this.#path = `${jobPath(jobId)}/events`;
    this.root = el("section", { class: "panel history" }, el("h2", {}, "Events"), this.#none, this.#list);
  }

  async read(signal) {
    let more = true;
    let changed = false;
    while (more) {
      const last = Math.max(0, ...this.#events.keys());
      const page = new Resource(last ? `${this.#path}?after=${last}` : this.#path);
      await page.read(signal);
      const before = this.#events.size;
      for (const event of page.value.data) this.#events.set(event.number, event);
      const grew = this.#events.size > before;
      changed ||= grew;
      more = grew && page.value.has_more === true;
    }
    if (changed) this.#draw();
  }

  #draw() {
    const newest = [...this.#events.values()].sort((a, b) => b.number - a.number);
    reconcile(this.#list, this.#nodes, newest.slice(0, SHOWN_EVENTS), {
      key: (event) => event.number,
      make: makeEvent,
      update: () => {},
    });
    this.#none.hidden = newest.length > 0;
  }
}

const makeEvent = (event) =>
  el(
    "li",
    {},
    el("time", { datetime: event.created_at }, dateAndTime(event.created_at)),
    el("span", { class: "tag" }, words(event.kind)),
    el("span", {}, event.message),
  );

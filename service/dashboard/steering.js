// The buttons that pause, resume and retry a job, shown if the job's state allows the action.

import { askJob } from "./api.js";
import { el, setText } from "./dom.js";
import { isEnded } from "./states.js";

/** The actions: when a button is shown, its label, and the body of its request. */
const VERBS = [
  {
    verb: "pause",
    label: "Pause",
    offered: ({ state }) => state === "queued" || state === "running",
    body: () => null,
  },
  {
    verb: "resume",
    label: "Resume",
    offered: ({ state }) => state === "paused" || state === "pausing",
    body: () => null,
  },
  {
    verb: "retry",
    label: "Retry",
    offered: (job) => isEnded(job),
    // A training resumes from its latest checkpoint; without one it starts again.
    body: (job) => ({ from: job.kind === "train" && job.latest_checkpoint ? "latest" : "start" }),
  },
];

export class SteeringButtons {
  #afterwards;
  #problem = el("p", { class: "callout", "data-tone": "bad", role: "alert", hidden: true });
  #buttons;
  #job = null;

  /** `afterwards(job)` is called with the changed job, or with the new job of a retry. */
  constructor(afterwards) {
    this.#afterwards = afterwards;
    this.#buttons = VERBS.map((what) => {
      const button = el("button", { type: "button", class: "button", hidden: true }, what.label);
      button.addEventListener("click", () => this.#send(what, button));
      return { ...what, button };
    });
    this.root = el("div", { class: "steering" }, ...this.#buttons.map(({ button }) => button), this.#problem);
  }

  show(job) {
    if (this.#job?.state !== job.state) this.#problem.hidden = true;
    this.#job = job;
    for (const { button, offered } of this.#buttons) button.hidden = !offered(job);
  }

  async #send({ verb, body }, button) {
    button.disabled = true;
    this.#problem.hidden = true;
    try {
      this.#afterwards(await askJob(this.#job.id, verb, body(this.#job)));
    } catch (error) {
      setText(this.#problem, error.message);
      this.#problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  }
}

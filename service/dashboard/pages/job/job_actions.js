// The buttons for what may be done with a job: the server says what, in the job's `actions`.

import { sendAction } from "../../api/client.js";
import { el, setAttributes, setText } from "../../parts/dom.js";

/** The label of each action that a button alone can do; a cancel has a dialog of its own. */
const LABELS = { pause: "Pause", resume: "Resume", retry: "Retry", evaluate: "Evaluate" };

/** What a choice means, for the button's tooltip. */
const TITLES = {
  latest: "As a new job, from the latest training state",
  start: "As a new job, from the start",
};

export class JobActions {
  #afterwards;
  #problem = el("p", { class: "callout", "data-tone": "bad", role: "alert", hidden: true });
  #buttons;
  #job = null;

  /** `afterwards(job)` is called with the changed job, or with the new job of a retry or an eval. */
  constructor(afterwards) {
    this.#afterwards = afterwards;
    this.#buttons = Object.entries(LABELS).map(([name, label]) => {
      const button = el("button", { type: "button", class: "button", hidden: true }, label);
      button.addEventListener("click", () => this.#send(name, button));
      return { name, button };
    });
    const buttons = this.#buttons.map(({ button }) => button);
    this.root = el("div", { class: "job-actions" }, ...buttons, this.#problem);
  }

  show(job) {
    if (this.#job?.state !== job.state) this.#problem.hidden = true;
    this.#job = job;
    for (const { name, button } of this.#buttons) {
      const action = actionOf(job, name);
      // What only the user knows needs a form.
      button.hidden = !action || action.needs.length > 0;
      setAttributes(button, { title: TITLES[action?.choices.from?.[0]] ?? null });
    }
  }

  async #send(name, button) {
    const action = actionOf(this.#job, name);
    if (!action) return;
    button.disabled = true;
    this.#problem.hidden = true;
    try {
      this.#afterwards(await sendAction(action));
    } catch (error) {
      setText(this.#problem, error.message);
      this.#problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  }
}

/** The action of a name that the job allows now, if it does. */
export const actionOf = (job, name) => job.actions.find((action) => action.name === name);

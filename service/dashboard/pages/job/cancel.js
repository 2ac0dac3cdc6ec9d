// The button that cancels a job, with a dialog that asks for confirmation.

import { sendAction } from "../../api/client.js";
import { el, setText } from "../../parts/dom.js";
import { actionOf } from "./job_actions.js";

const CONSEQUENCE =
  "Its worker finishes the step, saves a checkpoint and stops. " +
  "A cancelled job stays cancelled; a new one can start from its checkpoint.";

export class CancelButton {
  #action = null;
  #afterwards;
  #dialog;
  #problem = el("p", { class: "callout", "data-tone": "bad", role: "alert", hidden: true });
  #confirm = el("button", { type: "button", class: "button danger" }, "Cancel the job");

  constructor(afterwards) {
    this.#afterwards = afterwards;
    this.root = el("button", { type: "button", class: "button", hidden: true }, "Cancel…");
    this.#dialog = this.#makeDialog();
    this.root.addEventListener("click", () => this.#ask());
    this.#confirm.addEventListener("click", () => this.#send());
  }

  show(job) {
    const requested = job.state === "cancelling";
    this.#action = actionOf(job, "cancel") ?? null;
    this.root.hidden = !this.#action && !requested;
    this.root.disabled = requested;
    setText(this.root, requested ? "Cancelling…" : "Cancel…");
    if (this.root.hidden && this.#dialog.open) this.#dialog.close();
  }

  close() {
    this.#dialog.remove();
  }

  #makeDialog() {
    const keep = el("button", { type: "button", class: "button", autofocus: true }, "Keep it");
    const dialog = el(
      "dialog",
      { "aria-labelledby": "cancel-title" },
      el("h2", { id: "cancel-title" }, "Cancel this job?"),
      el("p", {}, CONSEQUENCE),
      this.#problem,
      el("div", { class: "actions" }, keep, this.#confirm),
    );
    keep.addEventListener("click", () => dialog.close());
    return dialog;
  }

  #ask() {
    this.#problem.hidden = true;
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    this.#dialog.showModal();
  }

  async #send() {
    this.#confirm.disabled = true;
    try {
      if (this.#action) await sendAction(this.#action);
      this.#dialog.close();
      this.#afterwards();
    } catch (error) {
      setText(this.#problem, error.message);
      this.#problem.hidden = false;
    } finally {
      this.#confirm.disabled = false;
    }
  }
}

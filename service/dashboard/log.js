// The tail of an attempt's log: follows the end, unless the reader scrolled up.

import { readLog } from "./api.js";
import { el, setText } from "./dom.js";

const KEPT_CHARACTERS = 400_000;
const CHUNKS_A_TURN = 20;
const NEAR_THE_END_PX = 24;
const COLOUR_CODES = /\u001b\[[0-9;]*m/g;

export class LogTail {
  #jobId;
  #attempt = null;
  #newest = 0;
  #cursor = null;
  #follows = true;
  #characters = 0;
  #pre = el("pre", { class: "log", tabindex: 0, role: "region", "aria-label": "Log" });
  #none = el("p", { class: "quiet" }, "No output yet.");
  #choice = el("select", { "aria-label": "Attempt", hidden: true });
  #toEnd = el("button", { type: "button", class: "button to-end", hidden: true }, "Jump to the end");

  constructor(jobId) {
    this.#jobId = jobId;
    const head = el("div", { class: "panel-head" }, el("h2", {}, "Log"), this.#choice);
    const box = el("div", { class: "log-box" }, this.#pre, this.#toEnd);
    this.root = el("section", { class: "panel log-panel" }, head, this.#none, box);
    this.#pre.addEventListener("scroll", () => this.#noteScroll(), { passive: true });
    this.#toEnd.addEventListener("click", () => this.#jump());
    this.#choice.addEventListener("change", () => this.#choose(Number(this.#choice.value)));
  }

  /** Reads on from the cursor until the log's present end; a new attempt starts a new log. */
  async read(newestAttempt, signal) {
    if (newestAttempt > this.#newest) this.#offer(newestAttempt);
    if (!this.#attempt) return;
    const attempt = this.#attempt;
    for (let chunk = 0; chunk < CHUNKS_A_TURN; chunk += 1) {
      const part = await readLog(this.#jobId, attempt, this.#cursor, signal);
      if (attempt !== this.#attempt) return;
      this.#cursor = part.cursor;
      this.#append(part.text);
      if (part.end || !part.text) return;
    }
  }

  /** Adds the attempts up to `newest` to the choice; whoever reads the newest moves on with it. */
  #offer(newest) {
    const moves = this.#attempt === null || this.#attempt === this.#newest;
    for (let number = this.#newest + 1; number <= newest; number += 1) {
      this.#choice.append(el("option", { value: number }, `Attempt ${number}`));
    }
    this.#newest = newest;
    this.#choice.hidden = newest < 2;
    if (moves) this.#choose(newest);
  }

  #choose(attempt) {
    this.#attempt = attempt;
    this.#choice.value = attempt;
    this.#cursor = null;
    this.#characters = 0;
    this.#pre.replaceChildren();
    this.#none.hidden = false;
    this.#jump();
  }

  #append(text) {
    if (!text) return;
    this.#none.hidden = true;
    this.#pre.append(document.createTextNode(text.replace(COLOUR_CODES, "")));
    this.#characters += text.length;
    if (this.#follows) {
      this.#forgetTheOldest();
      this.#pre.scrollTop = this.#pre.scrollHeight;
    }
  }

  // Only while following: taking lines away above a reader would move what they read.
  #forgetTheOldest() {
    while (this.#characters > KEPT_CHARACTERS && this.#pre.childNodes.length > 1) {
      this.#characters -= this.#pre.firstChild.data.length;
      this.#pre.firstChild.remove();
    }
  }

  #noteScroll() {
    const below = this.#pre.scrollHeight - this.#pre.scrollTop - this.#pre.clientHeight;
    this.#follows = below < NEAR_THE_END_PX;
    this.#toEnd.hidden = this.#follows;
  }

  #jump() {
    this.#follows = true;
    this.#toEnd.hidden = true;
    this.#pre.scrollTop = this.#pre.scrollHeight;
  }

  problem(error) {
    setText(this.#none, error.message);
  }
}

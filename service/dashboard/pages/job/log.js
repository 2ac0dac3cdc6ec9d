// The end of an attempt's log, which scrolls with new lines unless the user has scrolled up.

import { readLog } from "../../api/client.js";
import { el, setText } from "../../parts/dom.js";
import { LogText } from "../../text/user_text.js";

const MAX_CHARACTERS = 400_000;
const CHUNKS_PER_READ = 20;
const NEAR_THE_END_PX = 24;

export class LogTail {
  #jobId;
  #attempt = null;
  #newest = 0;
  #cursor = null;
  #follows = true;
  #characters = 0;
  #text = new LogText();
  // The line that is not ended yet, the last node of the log.
  #open = document.createTextNode("");
  #pre = el("pre", { class: "log", tabindex: 0, role: "region", "aria-label": "Log" });
  #none = el("p", { class: "quiet" }, "No output yet.");
  #choice = el("select", { "aria-label": "Attempt", hidden: true });
  #toEnd = el("button", { type: "button", class: "button to-end", hidden: true }, "Jump to the end");

  constructor(jobId) {
    this.#jobId = jobId;
    const head = el("div", { class: "panel-head" }, el("h2", {}, "Log"), this.#choice);
    const box = el("div", { class: "log-box" }, this.#pre, this.#toEnd);
    this.root = el("section", { class: "panel log-panel" }, head, this.#none, box);
    this.#pre.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.#toEnd.addEventListener("click", () => this.#scrollToEnd());
    this.#choice.addEventListener("change", () => this.#choose(Number(this.#choice.value)));
  }

  /** Reads from the cursor to the current end of the log; a new attempt starts a new log. */
  async read(newestAttempt, signal) {
    if (newestAttempt > this.#newest) this.#addAttempts(newestAttempt);
    if (!this.#attempt) return;
    const attempt = this.#attempt;
    for (let chunk = 0; chunk < CHUNKS_PER_READ; chunk += 1) {
      const part = await readLog(this.#jobId, attempt, this.#cursor, signal);
      if (attempt !== this.#attempt) return;
      this.#cursor = part.cursor;
      this.#append(part.text);
      if (part.end || !part.text) return;
    }
  }

  /** Adds the attempts up to `newest` to the menu, and selects it if the newest was selected. */
  #addAttempts(newest) {
    const selectsNewest = this.#attempt === null || this.#attempt === this.#newest;
    for (let number = this.#newest + 1; number <= newest; number += 1) {
      this.#choice.append(el("option", { value: number }, `Attempt ${number}`));
    }
    this.#newest = newest;
    this.#choice.hidden = newest < 2;
    if (selectsNewest) this.#choose(newest);
  }

  #choose(attempt) {
    this.#attempt = attempt;
    this.#choice.value = attempt;
    this.#cursor = null;
    this.#characters = 0;
    this.#text = new LogText();
    this.#open.data = "";
    this.#pre.replaceChildren(this.#open);
    this.#none.hidden = false;
    this.#scrollToEnd();
  }

  #append(text) {
    if (!text) return;
    this.#none.hidden = true;
    const { whole, open } = this.#text.add(text);
    if (whole) this.#pre.insertBefore(document.createTextNode(whole), this.#open);
    if (open !== this.#open.data) this.#open.data = open;
    this.#characters += whole.length;
    if (this.#follows) {
      this.#removeOldest();
      this.#pre.scrollTop = this.#pre.scrollHeight;
    }
  }

  // Only while scrolled to the end: removing lines above would move the text being read.
  #removeOldest() {
    while (this.#characters > MAX_CHARACTERS && this.#pre.childNodes.length > 2) {
      this.#characters -= this.#pre.firstChild.data.length;
      this.#pre.firstChild.remove();
    }
  }

  #onScroll() {
    const below = this.#pre.scrollHeight - this.#pre.scrollTop - this.#pre.clientHeight;
    this.#follows = below < NEAR_THE_END_PX;
    this.#toEnd.hidden = this.#follows;
  }

  #scrollToEnd() {
    this.#follows = true;
    this.#toEnd.hidden = true;
    this.#pre.scrollTop = this.#pre.scrollHeight;
  }

  problem(error) {
    setText(this.#none, error.message);
  }
}

// A part of a page that is read beside the others: if it fails, it alone says so.

import { el, setText } from "./dom.js";

export class Part {
  #read;
  #reading = false;
  #problem = el("p", { class: "callout", "data-tone": "bad", hidden: true });
  failed = false;

  /** `content` is shown above the problem; `read(signal)` reads and draws it, and may throw. */
  constructor(name, content, read) {
    this.name = name;
    this.#read = read;
    this.root = el("div", { class: "part" }, content, this.#problem);
  }

  /** Reads once; while it still reads, however long that takes, another call does nothing. */
  async refresh(signal) {
    if (this.#reading) return;
    this.#reading = true;
    try {
      await this.#read(signal);
      this.failed = false;
    } catch (error) {
      if (signal.aborted) return;
      this.failed = true;
      setText(this.#problem, `${this.name}: ${error.message} This is tried again.`);
    } finally {
      this.#reading = false;
      this.#problem.hidden = !this.failed;
    }
  }
}

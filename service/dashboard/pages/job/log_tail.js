// The text of an attempt's log in its element: too long to be drawn again at each new line.

import { readLog } from "../../api/client.js";
import { LogText } from "../../text/user_text.js";

const MAX_CHARACTERS = 400_000;
const CHUNKS_PER_READ = 20;
const NEAR_THE_END_PX = 24;

export class LogTail {
  #jobId;
  #attempt;
  #state;
  #cursor = null;
  #characters = 0;
  #text = new LogText();
  #pre = null;
  // The line that is not ended yet, the last node of the log.
  #open = document.createTextNode("");

  /** `state` is a signal of `{isEmpty, isFollowed, problem}`. */
  constructor(jobId, attempt, state) {
    this.#jobId = jobId;
    this.#attempt = attempt;
    this.#state = state;
  }

  /** Takes the element that shows the log; null when it is taken away. The same function at each drawing. */
  attach = (node) => {
    this.#pre = node;
    node?.replaceChildren(this.#open);
  };

  /** Reads from the cursor to the present end of the log. */
  async read(signal) {
    for (let chunk = 0; chunk < CHUNKS_PER_READ; chunk += 1) {
      const part = await readLog(this.#jobId, this.#attempt, this.#cursor, signal);
      this.#cursor = part.cursor;
      this.#append(part.text);
      if (part.end || !part.text) return;
    }
  }

  /** The log may not exist yet, or have been removed. */
  fail(error) {
    this.#change({ problem: error.message });
  }

  /** Takes note of where the reader is. */
  look() {
    const below = this.#pre.scrollHeight - this.#pre.scrollTop - this.#pre.clientHeight;
    this.#change({ isFollowed: below < NEAR_THE_END_PX });
  }

  /** Goes to the end, and with it from then on. */
  follow() {
    this.#change({ isFollowed: true });
    this.#pre.scrollTop = this.#pre.scrollHeight;
  }

  #append(text) {
    if (!text || !this.#pre) return;
    this.#change({ isEmpty: false });
    const { whole, open } = this.#text.add(text);
    if (whole) this.#pre.insertBefore(document.createTextNode(whole), this.#open);
    if (open !== this.#open.data) this.#open.data = open;
    this.#characters += whole.length;
    if (this.#state.peek().isFollowed) {
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

  #change(changes) {
    const before = this.#state.peek();
    if (Object.keys(changes).some((name) => changes[name] !== before[name])) this.#state.value = { ...before, ...changes };
  }
}

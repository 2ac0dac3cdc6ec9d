// The end of an attempt's log in its element: too long to be drawn again at each new line.

import { readLog } from "../../api/client.js";
import { exactTime, timeOfDay } from "../../text/format.js";
import { LogText } from "../../text/user_text.js";

const TAIL_BYTES = 400_000;
const MAX_CHARACTERS = 400_000;
const MAX_LINES = 8_000;
const CHUNKS_PER_READ = 20;
const NEAR_THE_END_PX = 24;

/**
 * @typedef {object} LogState
 * @property {boolean} isEmpty
 * @property {boolean} isFollowed Whether new lines scroll into sight.
 * @property {boolean} isCut Whether there are lines before the first.
 * @property {boolean} hasTimes Whether the worker has noted when lines were written.
 * @property {string | null} problem
 */

/** @type {LogState} */
export const UNREAD = { isEmpty: true, isFollowed: true, isCut: false, hasTimes: false, problem: null };

export class LogTail {
  #jobId;
  #attempt;
  #state;
  #cursor = null;
  #count = 0;
  #characters = 0;
  #text = new LogText();
  #pre = null;
  #isHeld = false;
  // The line that is not ended yet, the last element of the log.
  #open = lineOf("");

  /** `state` is a signal of a LogState; `onLines(elements)` hears of lines that were added. */
  constructor(jobId, attempt, state, onLines) {
    this.#jobId = jobId;
    this.#attempt = attempt;
    this.#state = state;
    this.onLines = onLines;
  }

  /** Takes the element that shows the log; null when it is taken away. The same function at each drawing. */
  attach = (node) => {
    this.#pre = node;
    node?.replaceChildren(this.#open);
  };

  /** Reads from the cursor to the present end of the log. */
  async read(signal) {
    for (let chunk = 0; chunk < CHUNKS_PER_READ; chunk += 1) {
      const from = this.#cursor === null ? { tail_bytes: TAIL_BYTES } : { cursor: this.#cursor };
      const part = await readLog(this.#jobId, this.#attempt, from, signal);
      this.#cursor = part.cursor;
      if (part.start > 0) this.#change({ isCut: true });
      this.#append(part.text, part.times ?? []);
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
    if (below >= NEAR_THE_END_PX) this.#isHeld = false;
    this.#change({ isFollowed: below < NEAR_THE_END_PX && !this.#isHeld });
  }

  /** Goes to the end, and with it from then on. */
  follow() {
    this.#isHeld = false;
    this.#change({ isFollowed: true });
    this.#pre.scrollTop = this.#pre.scrollHeight;
  }

  /** Stays where it is, whatever comes. */
  hold() {
    this.#isHeld = true;
    this.#change({ isFollowed: false });
  }

  /** The elements of the lines, the oldest first. */
  get lines() {
    return this.#pre ? [...this.#pre.children] : [];
  }

  #append(text, times) {
    if (!text || !this.#pre) return;
    const { whole, open } = this.#text.add(text);
    const added = this.#add(whole, times);
    if (open !== this.#open.textContent) this.#open.textContent = open;
    this.#change({ isEmpty: false, hasTimes: this.#state.peek().hasTimes || times.length > 0 });
    if (this.#state.peek().isFollowed) {
      this.#removeOldest();
      this.#pre.scrollTop = this.#pre.scrollHeight;
    }
    this.onLines([...added, this.#open]);
  }

  #add(whole, times) {
    if (!whole) return [];
    const texts = whole.split("\n");
    if (whole.endsWith("\n")) texts.pop();
    // Those before the last ones would be removed at once.
    const first = Math.max(texts.length - MAX_LINES, 0);
    if (first) this.#change({ isCut: true });
    const shown = times.map(([, at]) => ({ time: timeOfDay(new Date(at)), exact: exactTime(at) }));
    let next = 0;
    const lines = texts.slice(first).map((text, index) => {
      while (next < times.length && times[next][0] <= first + index) next += 1;
      return lineOf(`${text}\n`, shown[next - 1]);
    });
    const fragment = document.createDocumentFragment();
    fragment.append(...lines);
    this.#pre.insertBefore(fragment, this.#open);
    this.#count += lines.length;
    this.#characters += lines.reduce((sum, line) => sum + line.textContent.length, 0);
    return lines;
  }

  // Only while scrolled to the end: removing lines above would move the text being read.
  #removeOldest() {
    while (this.#count > MAX_LINES || (this.#characters > MAX_CHARACTERS && this.#count > 1)) {
      this.#count -= 1;
      this.#characters -= this.#pre.firstChild.textContent.length;
      this.#pre.firstChild.remove();
      this.#change({ isCut: true });
    }
  }

  #change(changes) {
    const before = this.#state.peek();
    if (Object.keys(changes).some((name) => changes[name] !== before[name])) this.#state.value = { ...before, ...changes };
  }
}

/**
 * A line; its time stands before it by a rule of the style sheet, so that who copies lines copies none.
 * @param {string} text
 * @param {{time: string, exact: string}} [written] When it was written.
 */
function lineOf(text, written) {
  const line = document.createElement("span");
  line.textContent = text;
  if (written) {
    line.dataset.time = written.time;
    line.title = written.exact;
  }
  return line;
}

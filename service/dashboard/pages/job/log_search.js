// The lines of a log that have a text, one after the other.

/** Marks lines with the class "hit", and one of them, which it scrolls to, with "current". */
export class LogSearch {
  #text = "";
  #lines;
  /** @type {Element[]} */
  #hits = [];
  /** @type {Element | null} */
  #current = null;

  /** `lines()` gives the elements of all lines, the oldest first. */
  constructor(lines) {
    this.#lines = lines;
  }

  /** The number of the current hit from 1 (0 for none), and how many there are. */
  get place() {
    return { number: this.#hits.indexOf(this.#current) + 1, count: this.#hits.length };
  }

  /** Looks for a text, in upper or lower case, and goes to its last line: the newest. */
  look(text) {
    for (const hit of this.#hits) hit.classList.remove("hit", "current");
    this.#text = text.toLowerCase();
    this.#hits = [];
    this.#current = null;
    this.add(this.#lines());
    this.#go(this.#hits.at(-1));
  }

  /** Looks at lines that were added, or have changed. */
  add(lines) {
    this.#hits = this.#hits.filter((hit) => hit.isConnected);
    if (!this.#text) return;
    for (const line of lines) {
      const wasHit = line.classList.contains("hit");
      const isHit = line.textContent.toLowerCase().includes(this.#text);
      if (isHit === wasHit) continue;
      line.classList.toggle("hit", isHit);
      this.#hits = isHit ? this.#hits : this.#hits.filter((hit) => hit !== line);
      if (isHit) this.#hits.push(line);
    }
  }

  /** Goes to the next hit, or with -1 to the one before; after the last comes the first. */
  step(by) {
    if (!this.#hits.length) return;
    const { number, count } = this.place;
    // Without a current one, the first is after it, and the last before.
    const from = number || (by < 0 ? count + 1 : 0);
    this.#go(this.#hits[(from - 1 + by + count) % count]);
  }

  #go(hit) {
    this.#current?.classList.remove("current");
    this.#current = hit ?? null;
    if (!hit) return;
    hit.classList.add("current");
    // Of the log alone: the page stays where it is.
    const box = hit.parentElement;
    box.scrollTop += hit.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
  }
}

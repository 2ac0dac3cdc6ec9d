// When to ask again: a steady beat, slower in a hidden tab, backing off while the server is away.

import { ApiProblem, ServerAway } from "./api.js";

const HIDDEN_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

/** How the server was when it was last asked, over all pollers; emits "change". */
class Connection extends EventTarget {
  #away = new Map();
  reachedAt = null;

  /** One missed answer is no news; two in a row are. */
  get lost() {
    return [...this.#away.values()].some((misses) => misses > 1);
  }

  reached(poller) {
    this.#away.delete(poller);
    this.reachedAt = new Date();
    this.dispatchEvent(new Event("change"));
  }

  missed(poller) {
    this.#away.set(poller, (this.#away.get(poller) ?? 0) + 1);
    this.dispatchEvent(new Event("change"));
  }

  forget(poller) {
    this.#away.delete(poller);
    this.dispatchEvent(new Event("change"));
  }
}

export const connection = new Connection();

/**
 * Runs `work(signal)` at a beat, never twice at once. `work` may answer the number of ms until
 * its next turn; it throws ServerAway when there was no answer. Any other error is shown by
 * `onProblem(error)`, and asked about again at a slower beat.
 */
export class Poller {
  #work;
  #everyMs;
  #onProblem;
  #timer = null;
  #abort = null;
  #misses = 0;
  #again = false;
  #wake = () => {
    if (!document.hidden) this.now();
  };

  constructor(work, everyMs, onProblem) {
    this.#work = work;
    this.#everyMs = everyMs;
    this.#onProblem = onProblem;
  }

  start() {
    document.addEventListener("visibilitychange", this.#wake);
    window.addEventListener("online", this.#wake);
    this.#abort = new AbortController();
    this.#turn();
    return this;
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#wake);
    window.removeEventListener("online", this.#wake);
    clearTimeout(this.#timer);
    this.#abort?.abort(new DOMException("left the page", "AbortError"));
    this.#abort = null;
    connection.forget(this);
  }

  /** Asks at once; a turn under way is followed by another. */
  now() {
    if (!this.#abort) return;
    if (this.#timer === null) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#turn();
  }

  async #turn() {
    this.#timer = null;
    this.#again = false;
    const { signal } = this.#abort;
    let waitMs = this.#everyMs;
    try {
      waitMs = (await this.#work(signal)) ?? this.#everyMs;
      if (signal.aborted) return;
      this.#misses = 0;
      connection.reached(this);
    } catch (error) {
      if (signal.aborted) return;
      waitMs = this.#after(error, waitMs);
    }
    if (document.hidden) waitMs = Math.max(waitMs, HIDDEN_MS);
    this.#timer = setTimeout(() => this.#turn(), this.#again ? 0 : waitMs);
  }

  #after(error, waitMs) {
    if (error instanceof ServerAway) {
      this.#misses += 1;
      connection.missed(this);
      const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** (this.#misses - 1), LONGEST_RETRY_MS);
      // Jitter: many open tabs must not come back in the same instant.
      return backoffMs * (0.75 + Math.random() / 2);
    }
    this.#misses = 0;
    connection.reached(this);
    if (!(error instanceof ApiProblem)) console.error(error);
    this.#onProblem(error);
    return waitMs * 5;
  }
}

// Polls the server: at an interval, more slowly in a hidden tab, with backoff while it is away.

import { ApiProblem, ServerAway } from "./client.js";
import { connection } from "./connection.js";

const HIDDEN_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 5_000;

/**
 * Calls `work(signal)` at an interval, and never twice at the same time. `work` may return the
 * number of ms until its next call, and throws ServerAway when the server did not answer. Any
 * other error is passed to `onProblem(error)`, and the next call comes after a longer interval.
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

  #regain = () => {
    if (this.#misses > 0) this.now();
  };

  /**
   * @param {(signal: AbortSignal) => Promise<number | void>} work
   * @param {number | (() => number)} everyMs
   * @param {(error: any) => void} onProblem
   */
  constructor(work, everyMs, onProblem) {
    this.#work = work;
    this.#everyMs = typeof everyMs === "function" ? everyMs : () => everyMs;
    this.#onProblem = onProblem;
  }

  start() {
    document.addEventListener("visibilitychange", this.#wake);
    window.addEventListener("online", this.#wake);
    connection.addEventListener("regained", this.#regain);
    this.#abort = new AbortController();
    this.#call();
    return this;
  }

  stop() {
    document.removeEventListener("visibilitychange", this.#wake);
    window.removeEventListener("online", this.#wake);
    connection.removeEventListener("regained", this.#regain);
    clearTimeout(this.#timer);
    this.#abort?.abort(new DOMException("left the page", "AbortError"));
    this.#abort = null;
    connection.reached(this);
  }

  /** Calls `work` at once; a call that is running is followed by another one. */
  now() {
    if (!this.#abort) return;
    if (this.#timer === null) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#call();
  }

  /** Calls `work` at once, unless a call is running. */
  hasten() {
    if (this.#timer !== null) this.now();
  }

  async #call() {
    this.#timer = null;
    this.#again = false;
    const { signal } = this.#abort;
    let waitMs;
    try {
      waitMs = await this.#work(signal);
      if (signal.aborted) return;
      this.#misses = 0;
      connection.reached(this);
    } catch (error) {
      if (signal.aborted) return;
      waitMs = this.#delayAfter(error);
    }
    waitMs ??= this.#everyMs();
    if (document.hidden) waitMs = Math.max(waitMs, HIDDEN_MS);
    this.#timer = setTimeout(() => this.#call(), this.#again ? 0 : waitMs);
  }

  #delayAfter(error) {
    if (error instanceof ServerAway) {
      this.#misses += 1;
      connection.missed(this);
      const backoffMs = Math.min(FIRST_RETRY_MS * 2 ** (this.#misses - 1), LONGEST_RETRY_MS);
      // Jitter, so that many open tabs do not send their requests at the same moment.
      return backoffMs * (0.75 + Math.random() / 2);
    }
    this.#misses = 0;
    connection.reached(this);
    if (!(error instanceof ApiProblem)) console.error(error);
    this.#onProblem(error);
    return this.#everyMs() * 5;
  }
}

// Whether the server answers, over all requests of the page.

const SILENCE_MS = 4_000;
const LONGEST_SILENCE_MS = 8_000;
const LOOK_MS = 500;
// Of the workers in the head of every page, and a little more.
const LONGEST_POLL_MS = 5_500;

/**
 * Emits "change" when the server is lost or answers again, and "regained" at the first answer after
 * a silence. It is lost after two misses in a row of one caller, and, as a server that hangs refuses
 * nothing, while a request waits that was sent after the last answer.
 */
class Connection extends EventTarget {
  #pending = new Map();
  #misses = new Map();
  #answeredAtMs = -Infinity;
  #isSilent = false;
  #wasLost = false;
  /** @type {Date | null} */
  reachedAt = null;

  get lost() {
    return this.#isSilent || [...this.#misses.values()].some((misses) => misses > 1);
  }

  /** Notes a request that is sent; returns what ends the wait for its answer. */
  sent() {
    const request = {};
    const timer = setInterval(() => this.#look(), LOOK_MS);
    this.#pending.set(request, performance.now());
    return () => {
      clearInterval(timer);
      this.#pending.delete(request);
    };
  }

  /** The server has answered a request of anyone, whatever it was. */
  answered() {
    const silentMs = performance.now() - this.#answeredAtMs;
    this.#answeredAtMs = performance.now();
    this.reachedAt = new Date();
    this.#isSilent = false;
    this.#tell();
    if (this.lost && silentMs > LONGEST_POLL_MS) this.dispatchEvent(new Event("regained"));
  }

  /** A request of a caller was answered. */
  reached(caller) {
    this.#misses.delete(caller);
    this.#tell();
  }

  /** A request of a caller was not answered. */
  missed(caller) {
    this.#misses.set(caller, (this.#misses.get(caller) ?? 0) + 1);
    this.#tell();
  }

  /** A hidden tab asks too seldom to say anything. */
  #look() {
    if (document.hidden) return;
    const nowMs = performance.now();
    const silentMs = nowMs - this.#answeredAtMs;
    const isUnanswered = (sentAtMs) => {
      const waitedMs = nowMs - sentAtMs;
      return sentAtMs >= this.#answeredAtMs ? waitedMs >= SILENCE_MS : Math.min(waitedMs, silentMs) >= LONGEST_SILENCE_MS;
    };
    if ([...this.#pending.values()].some(isUnanswered)) this.#isSilent = true;
    this.#tell();
  }

  #tell() {
    if (this.lost === this.#wasLost) return;
    this.#wasLost = this.lost;
    this.dispatchEvent(new Event("change"));
  }
}

export const connection = new Connection();

// A bound on how often a part of the page asks the server.

/** Allows `most` requests at once, and then one each `everyMs`. */
export class RequestBudget {
  #most;
  #everyMs;
  #clock;
  #left;
  #at;

  constructor(most, everyMs, clock = () => performance.now()) {
    this.#most = most;
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#left = most;
    this.#at = clock();
  }

  /** Milliseconds until a request may be sent; 0 if one may be sent now. */
  get waitMs() {
    this.#refill();
    return this.#left >= 1 ? 0 : Math.ceil((1 - this.#left) * this.#everyMs);
  }

  /** Counts a request; what a user waits for is sent without a look at `waitMs`, and counted too. */
  take() {
    this.#refill();
    this.#left = Math.max(this.#left - 1, -this.#most);
  }

  #refill() {
    const at = this.#clock();
    this.#left = Math.min(this.#most, this.#left + (at - this.#at) / this.#everyMs);
    this.#at = at;
  }
}

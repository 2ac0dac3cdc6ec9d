// A poll of one path for all parts of the page that show it.

import { signal } from "../vendor/preact.js";
import { Resource } from "./client.js";
import { Poller } from "./poll.js";

/** The interval that depends on an answer, before there is one. */
const UNKNOWN_MS = 2_000;
/** @type {Map<string, SharedPoll>} */
const polls = new Map();

/** The poll of a path: it goes on as long as somebody has joined it, and is forgotten afterwards. */
export class SharedPoll {
  /** What was read last, and why the last try failed. */
  answer = signal({ value: null, error: /** @type {(Error & {status?: number}) | null} */ (null) });
  #path;
  #resource;
  #poller;
  /** @type {Set<{everyMs: number | ((value: any) => number)}>} */
  #members = new Set();

  constructor(path) {
    this.#path = path;
    this.#resource = new Resource(path);
    this.#poller = new Poller((abort) => this.#read(abort), () => this.#intervalMs(), (error) => {
      this.answer.value = { value: this.#resource.value, error };
    });
  }

  /** The one poll of a path. @param {string} path */
  static of(path) {
    if (!polls.has(path)) polls.set(path, new SharedPoll(path));
    return polls.get(path);
  }

  /** Has it read at this interval; gives what ends that. @param {number | ((value: any) => number)} everyMs */
  join(everyMs) {
    const member = { everyMs };
    const before = this.#intervalMs();
    this.#members.add(member);
    if (this.#members.size === 1) {
      polls.set(this.#path, this);
      this.#poller.start();
    } else if (this.#intervalMs() < before) this.#poller.hasten();
    return () => {
      this.#members.delete(member);
      if (this.#members.size > 0) return;
      this.#poller.stop();
      polls.delete(this.#path);
    };
  }

  /** Reads at once. */
  now() {
    this.#poller.now();
  }

  async #read(abort) {
    const isChanged = await this.#resource.read(abort);
    if (isChanged || this.answer.peek().error) this.answer.value = { value: this.#resource.value, error: null };
  }

  #intervalMs() {
    const { value } = this.#resource;
    const intervalOf = ({ everyMs }) => (typeof everyMs !== "function" ? everyMs : value === null ? UNKNOWN_MS : everyMs(value));
    return Math.min(...[...this.#members].map(intervalOf));
  }
}

// One action on many jobs.

import { send } from "./client.js";

/** The most jobs that the server changes by one request. */
const MOST_JOBS = 1_000;
const TIMEOUT_MS = 60_000;

/**
 * @typedef {{id: string, ok: boolean, job?: any, problem?: {detail?: string}}} BulkResult
 * @typedef {{ids: string[]} | {filter: object}} JobChoice
 */

/** Sends actions; the same one again has the same idempotency key, so that it is not done twice. */
export class BulkSender {
  #keys = new Map();

  /**
   * The results of an action on jobs, in as many requests as it needs.
   * @param {object} action `{action, mode?, from?, labels?, priority?}`
   * @param {JobChoice} jobs
   * @param {(done: number, all: number) => void} [report] Is told how many are done, where there are more.
   * @returns {Promise<BulkResult[]>}
   */
  async send(action, jobs, report = () => {}) {
    const results = [];
    const add = (part, left) => {
      results.push(...part);
      if (left > 0) report(results.length, results.length + left);
    };
    if ("ids" in jobs) {
      for (let start = 0; start < jobs.ids.length; start += MOST_JOBS) {
        const { results: part } = await this.#sendPart({ ...action, ids: jobs.ids.slice(start, start + MOST_JOBS) });
        add(part, jobs.ids.length - start - MOST_JOBS);
      }
      return results;
    }
    let after = null;
    do {
      const answer = await this.#sendPart({ ...action, ...jobs, limit: MOST_JOBS, ...(after && { after }) });
      add(answer.results, answer.left ?? 0);
      after = answer.next ?? null;
    } while (after !== null);
    return results;
  }

  async #sendPart(body) {
    const text = JSON.stringify(body);
    const key = this.#keys.get(text) ?? newKey();
    this.#keys.set(text, key);
    const headers = { "Idempotency-Key": key };
    return send("POST", "jobs/bulk", body, { headers, timeoutMs: TIMEOUT_MS });
  }
}

/** A key for one request; `crypto.randomUUID` is not there over plain HTTP. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

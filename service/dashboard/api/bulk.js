// One action on many jobs.

import { Resource, send } from "./client.js";

/** The most jobs that the server changes by one request. */
export const MOST_JOBS = 1_000;
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
   * @returns {Promise<BulkResult[]>}
   */
  async send(action, jobs) {
    if (!("ids" in jobs)) return this.#sendPart({ ...action, ...jobs });
    const results = [];
    for (let start = 0; start < jobs.ids.length; start += MOST_JOBS) {
      results.push(...(await this.#sendPart({ ...action, ids: jobs.ids.slice(start, start + MOST_JOBS) })));
    }
    return results;
  }

  async #sendPart(body) {
    const text = JSON.stringify(body);
    const key = this.#keys.get(text) ?? newKey();
    this.#keys.set(text, key);
    const headers = { "Idempotency-Key": key };
    const answer = await send("POST", "jobs/bulk", body, { headers, timeoutMs: TIMEOUT_MS });
    return answer.results;
  }
}

/** The ids of all jobs that filters of `GET /jobs` mean, the newest first. */
export async function idsOf(filters) {
  const ids = [];
  let after = null;
  do {
    const entries = [...filters, ["fields", "id"], ["limit", String(MOST_JOBS)], ...(after ? [["after", after]] : [])];
    const resource = new Resource(`jobs?${new URLSearchParams(entries)}`);
    await resource.read();
    ids.push(...resource.value.data.map(({ id }) => id));
    after = resource.value.next;
  } while (after);
  return ids;
}

/** A key for one request; `crypto.randomUUID` is not there over plain HTTP. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

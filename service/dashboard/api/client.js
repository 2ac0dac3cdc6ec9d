// Calls of the REST API: conditional reads with ETags, logs, and actions on a job.

// Paths are relative to the page, so that it works behind a proxy's prefix, too.

import { connection } from "./connection.js";
import { waitForLogin } from "./login_gate.js";

/** @typedef {RequestInit & {timeoutMs?: number}} SendOptions */

const TIMEOUT_MS = 10_000;
const UNAVAILABLE = new Set([502, 503, 504]);

/** The server cannot be reached, or answered that it is unavailable. */
export class ServerAway extends Error {}

/** The server refused a request with a problem document (RFC 9457). */
export class ApiProblem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `The server answered ${status}.`);
    this.status = status;
    this.code = body?.code ?? null;
    /** @type {{pointer: string, detail: string}[]} What is wrong with which field of what was sent. */
    this.errors = body?.errors ?? [];
  }
}

let skewMs = 0;

/** The time of the server's clock in ms, so that ages are right if this machine's clock is wrong. */
export const serverNow = () => Date.now() + skewMs;

export const secondsSince = (iso, until = null) =>
  iso ? ((until ? Date.parse(until) : serverNow()) - Date.parse(iso)) / 1000 : null;

/**
 * Sends a request; one that the server refuses to a stranger is sent again after the login.
 * @param {string} path
 * @param {SendOptions} [options]
 */
async function request(path, options = {}) {
  for (;;) {
    try {
      return await requestOnce(path, options);
    } catch (error) {
      if (!(error instanceof ApiProblem && error.status === 401)) throw error;
      await waitForLogin(options.signal);
    }
  }
}

/**
 * Sends a request; throws ServerAway without an answer, ApiProblem if it is refused.
 * @param {string} path
 * @param {SendOptions} [options]
 */
export async function requestOnce(path, options = {}) {
  const { response, body } = await answerTo(path, options);
  const date = Date.parse(response.headers.get("Date") ?? "");
  // The Date header has a resolution of one second, so small differences are ignored.
  if (date) skewMs = Math.abs(date - Date.now()) > 2_000 ? date - Date.now() : 0;
  if (UNAVAILABLE.has(response.status)) throw new ServerAway(`The server answered ${response.status}.`);
  connection.answered();
  if (response.status !== 304 && !response.ok) throw new ApiProblem(response.status, parseOrNull(body));
  return { response, body };
}

/**
 * @param {string} path
 * @param {SendOptions} options
 */
async function answerTo(path, { signal, timeoutMs = TIMEOUT_MS, ...options }) {
  const limits = [AbortSignal.timeout(timeoutMs)];
  if (signal) limits.push(signal);
  // A call that may take long says nothing of the server while it is silent.
  const done = timeoutMs > TIMEOUT_MS ? () => {} : connection.sent();
  try {
    // The server changes nothing by a cookie without this header, which no other page can send.
    const headers = { ...options.headers, "X-Requested-With": "trainyard" };
    // The browser's cache is off: `Resource` sends the ETags.
    const init = /** @type {RequestInit} */ ({ ...options, headers, cache: "no-store", signal: AbortSignal.any(limits) });
    const response = await fetch(path, init);
    const body = response.status === 304 || response.status === 204 ? null : await response.text();
    return { response, body };
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new ServerAway("The server does not answer.", { cause });
  } finally {
    done();
  }
}

function parseOrNull(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** A URL that is polled; an unchanged answer is neither parsed nor drawn again. */
export class Resource {
  #etag = null;
  #text = null;

  constructor(path) {
    this.path = path;
    this.value = null;
  }

  /** Reads the URL; true if the value has changed since the last read. */
  async read(signal) {
    const headers = { Accept: "application/json" };
    if (this.#etag) headers["If-None-Match"] = this.#etag;
    const { response, body } = await request(this.path, { headers, signal });
    if (response.status === 304) return false;
    this.#etag = response.headers.get("ETag");
    if (body === this.#text) return false;
    this.#text = body;
    this.value = JSON.parse(body);
    return true;
  }
}

/**
 * A part of the log of a job's attempt: from a cursor on, or the last lines.
 * @param {string} jobId
 * @param {number} attempt
 * @param {{cursor: string} | {tail_bytes: number}} from
 * @param {AbortSignal} signal
 * @returns {Promise<{text: string, cursor: string, end: boolean, start?: number, times?: [number, string][]}>}
 */
export async function readLog(jobId, attempt, from, signal) {
  const query = new URLSearchParams({ attempt: String(attempt), ...Object.fromEntries(Object.entries(from).map(([name, value]) => [name, String(value)])) });
  const { body } = await request(`${jobPath(jobId)}/logs?${query}`, { signal });
  return JSON.parse(body);
}

/**
 * Sends a call that changes something, or that asks what it would change; gives the answer, or null.
 * @param {string} method
 * @param {string} path
 * @param {object | null} [body]
 * @param {{signal?: AbortSignal, headers?: Record<string, string>, timeoutMs?: number}} [options]
 */
export async function send(method, path, body = null, { signal, headers = {}, timeoutMs } = {}) {
  const sent = body && { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await request(path, { method, signal, headers, timeoutMs, ...sent });
  return answer.body ? JSON.parse(answer.body) : null;
}

/** Sends a job's action, with the first of its choices; returns the job in the answer, or null. */
export function sendAction({ method, path, body, choices }) {
  const defaults = Object.entries(choices).map(([field, [first]]) => [field, first]);
  const sent = { ...body, ...Object.fromEntries(defaults) };
  return send(method, path.replace(/^\//, ""), Object.keys(sent).length ? sent : null);
}

export const jobPath = (jobId) => `jobs/${encodeURIComponent(jobId)}`;

/** A job for what is asked again and again: without what its `left_out` names, which may be long. */
export const shortJobPath = (jobId) => `${jobPath(jobId)}?short=true`;

/** The address of a job's page. */
export const pageOf = (jobId) => `#/jobs/${encodeURIComponent(jobId)}`;

export const checkpointPath = (checkpointId) => `checkpoints/${encodeURIComponent(checkpointId)}`;

export const sweepPath = (sweepId) => `sweeps/${encodeURIComponent(sweepId)}`;

export const fileUrl = (checkpointId, name) => `${checkpointPath(checkpointId)}/files/${encodeURIComponent(name)}`;

// The REST API as the dashboard sees it: conditional reads, and the verbs on a job.

const TIMEOUT_MS = 10_000;
const AWAY = new Set([502, 503, 504]);

/** The server cannot be reached, or says that it is not ready. */
export class ServerAway extends Error {}

/** The server answered with a problem (RFC 9457). */
export class ApiProblem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || `The server answered ${status}.`);
    this.status = status;
    this.code = body?.code ?? null;
  }
}

let skewMs = 0;

/** Now by the server's clock, in ms: ages stay right on a machine whose clock is wrong. */
export const serverNow = () => Date.now() + skewMs;

export const secondsSince = (iso, until = null) =>
  iso ? ((until ? Date.parse(until) : serverNow()) - Date.parse(iso)) / 1000 : null;

async function request(path, { signal, ...options } = {}) {
  const limits = [AbortSignal.timeout(TIMEOUT_MS)];
  if (signal) limits.push(signal);
  let response;
  let body;
  try {
    // The browser keeps nothing: the ETags that are sent are the ones kept here.
    const sent = { ...options, cache: "no-store", signal: AbortSignal.any(limits) };
    response = await fetch(path, sent);
    body = response.status === 304 || response.status === 204 ? null : await response.text();
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new ServerAway("The server does not answer.", { cause });
  }
  const date = Date.parse(response.headers.get("Date") ?? "");
  // The header counts whole seconds: smaller differences say nothing.
  if (date) skewMs = Math.abs(date - Date.now()) > 2_000 ? date - Date.now() : 0;
  if (AWAY.has(response.status)) throw new ServerAway(`The server answered ${response.status}.`);
  if (response.status !== 304 && !response.ok) throw new ApiProblem(response.status, parsed(body));
  return { response, body };
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** One address, read again and again; an answer that did not change is not parsed, nor redrawn. */
export class Resource {
  #etag = null;
  #text = null;

  constructor(path) {
    this.path = path;
    this.value = null;
  }

  /** True when the value changed since the last read. */
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

/** A part of a job's log from `cursor` on (null: from the start of the attempt). */
export async function readLog(jobId, attempt, cursor, signal) {
  const query = new URLSearchParams();
  if (attempt) query.set("attempt", attempt);
  if (cursor !== null) query.set("cursor", cursor);
  const { body } = await request(`${jobPath(jobId)}/logs?${query}`, { signal });
  return JSON.parse(body);
}

/** Asks for a verb on a job; the job that the server answers with. */
export async function askJob(jobId, verb, said) {
  const { body } = await request(`${jobPath(jobId)}/${verb}`, {
    method: "POST",
    ...(said && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) }),
  });
  return body ? JSON.parse(body) : null;
}

export const jobPath = (jobId) => `/jobs/${encodeURIComponent(jobId)}`;

export const fileUrl = (checkpointId, name) =>
  `/checkpoints/${encodeURIComponent(checkpointId)}/files/${encodeURIComponent(name)}`;

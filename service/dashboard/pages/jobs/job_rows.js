// The jobs of a view by their places in it, as far as they have been read: from the first on, and
// from the last back, so that the end of a long list is not far away.

import { signal } from "../../vendor/preact.js";
import { Resource } from "../../api/client.js";
import { isEnded } from "../../parts/states.js";

const FIRST = 100;
const MOST = 1_000;
/** Fields that cost the server other rows than the job's: left out of what is read in large parts. */
const DEAR = ["queue_position", "wait_reason"];
/** How many polls of what is in sight there are for one of the head of the list. */
const HEAD_EVERY = 3;
/** How many polls are left out for a part in which all jobs have ended. */
const ENDED_EVERY = 10;

/**
 * @typedef {import("../../api/types").Job} Job
 * @typedef {{start: number, length: number, isReversed: boolean, resource: Resource}} Chunk
 * @typedef {{from: number, to: number}} Range
 */

export class JobRows {
  /** Counts the changes; a component that reads it is drawn again after each. */
  version = signal(0);
  /** Counts the changes of which jobs are where. */
  arrangement = 0;
  /** @type {(Job | undefined)[]} */
  rows = [];
  size = 0;
  total = 0;
  /** @type {Record<string, number>} */
  counts = {};
  isRead = false;
  /** How many jobs have come to the head of the list that are not in it yet. */
  newer = 0;
  /** The jobs that are in the list no more, and still in their rows. */
  gone = new Set();
  #query;
  #most;
  #isReversible;
  #first;
  /** @type {Chunk[]} */
  #chunks = [];
  #places = new Map();
  // The rows before #head and from #tail on are known.
  #head = 0;
  #tail = 0;
  #headCursor = null;
  #tailCursor = null;
  #isBehind = false;
  #polls = 0;

  /**
   * @param {object} view
   * @param {URLSearchParams} view.filters
   * @param {string} view.order As the server has it.
   * @param {string[]} view.fields
   * @param {number | null} [view.most] The jobs to read, all at once; null: any number, in parts.
   */
  constructor({ filters, order, fields, most = null }) {
    this.#query = (entries, by = order) => {
      const isPolled = entries.limit <= FIRST || !this.#isReversible;
      const shown = isPolled ? fields : fields.filter((name) => !DEAR.includes(name));
      return `jobs?${new URLSearchParams([...filters, ["order_by", by], ["fields", shown.join(",")], ...Object.entries(entries)])}`;
    };
    this.#most = most ?? Infinity;
    this.#isReversible = order.endsWith("created_at") ? (order.startsWith("-") ? order.slice(1) : `-${order}`) : null;
    this.#first = new Resource(this.#query({ limit: Math.min(most ?? FIRST, MOST) }));
  }

  /** Whether a range has rows that are not read yet. */
  lacks({ from, to }) {
    return Math.max(from, this.#head) < Math.min(to, this.#tail);
  }

  /** The place of a job; -1 if it is not among those that were read. */
  placeOf(id) {
    return this.#places.get(id) ?? -1;
  }

  /** Reads the head of the list for the first time, or all of it again. */
  async start(signal) {
    await this.#first.read(signal);
    this.#restart();
  }

  /** Reads a part of what a range lacks, from the end of the list that is nearer. */
  async fill({ from, to }, signal) {
    const toHead = Math.min(to, this.#tail) - this.#head;
    const toTail = this.#tail - Math.max(from, this.#head);
    const isReversed = this.#isReversible !== null && toTail < toHead;
    const limit = Math.min(Math.max(isReversed ? toTail : toHead, FIRST), MOST, this.#tail - this.#head);
    const after = isReversed ? this.#tailCursor : this.#headCursor;
    const entries = { limit, ...(after && { after }) };
    const resource = new Resource(this.#query(entries, isReversed ? this.#isReversible : undefined));
    const [head, tail] = [this.#head, this.#tail];
    await resource.read(signal);
    // Another call has read it meanwhile.
    if (head !== this.#head || tail !== this.#tail) return;
    const { data, next } = resource.value;
    const start = isReversed ? this.#tail - data.length : this.#head;
    const jobs = isReversed ? [...data].reverse() : data;
    // What other clients have deleted meanwhile leaves fewer jobs than places, or a job in two.
    const isMoved = !data.length || jobs.some(({ id }, index) => this.#places.has(id) && this.#places.get(id) !== start + index);
    if (isMoved) return this.start(signal);
    this.#put(start, jobs);
    if (this.#isReversible) this.#chunks.push(...this.#partsOf(start, data.length, isReversed));
    else this.#chunks.push({ start, length: data.length, isReversed, resource });
    if (isReversed) [this.#tail, this.#tailCursor] = [start, next];
    else [this.#head, this.#headCursor] = [start + data.length, next];
    this.#changed();
  }

  /**
   * Reads what is in sight again. Jobs that came or went change the list while its head is in sight;
   * else the rows stay, `newer` and `gone` tell of them.
   * @param {Range} range
   * @param {boolean} isAtTop
   */
  async poll(range, isAtTop, signal) {
    this.#polls += 1;
    const isInSight = ({ start, length }) => start < range.to && start + length > range.from;
    const due = this.#chunks.filter((chunk) => isInSight(chunk) && this.#isDue(chunk));
    const isHeadDue = (isAtTop && this.#most === Infinity) || !due.length || this.#polls % HEAD_EVERY === 0;
    if (isHeadDue && ((await this.#first.read(signal)) || (isAtTop && this.#isBehind))) this.#readHead(isAtTop);
    for (const chunk of due) {
      if (await chunk.resource.read(signal)) this.#update(chunk, chunk.resource.value.data);
    }
  }

  /** Puts jobs as an action has left them into their rows. */
  replace(jobs) {
    for (const job of jobs) this.#replace(job);
    this.#changed();
  }

  /** By time a page begins after any job: what was read at once is polled in parts that are in sight. */
  #partsOf(start, length, isReversed) {
    const starts = Array.from({ length: Math.ceil(length / FIRST) }, (_, index) => start + index * FIRST);
    return starts.map((from) => {
      const part = Math.min(FIRST, start + length - from);
      const before = this.rows[isReversed ? from + part : from - 1];
      const entries = { limit: part, ...(before && { after: before.id }) };
      const resource = new Resource(this.#query(entries, isReversed ? this.#isReversible : undefined));
      return { start: from, length: part, isReversed, resource };
    });
  }

  #isDue({ start, length }) {
    if (this.#polls % ENDED_EVERY === 0) return true;
    return this.rows.slice(start, start + length).some((job) => job && !isEnded(job));
  }

  #readHead(isAtTop) {
    const { data, total, counts } = this.#first.value;
    const isSame = Math.min(total, this.#most) === this.size && data.every(({ id }, index) => this.rows[index]?.id === id);
    if (!isSame && isAtTop) return this.#restart();
    this.total = total;
    this.counts = counts;
    this.#isBehind = !isSame;
    this.newer = data.filter(({ id }) => !this.#places.has(id)).length;
    this.#update({ start: 0, length: Math.min(data.length, this.#head), isReversed: false }, data);
  }

  #update({ start, length, isReversed }, data) {
    const ids = new Set(data.map(({ id }) => id));
    // A full answer that begins with newer jobs ends before the last ones of the part.
    const isFull = data.length >= length && !isReversed;
    const last = isFull ? Math.max(...data.map(({ id }) => this.placeOf(id))) : start + length - 1;
    for (const job of this.rows.slice(start, Math.min(start + length, last + 1))) {
      if (job && !ids.has(job.id)) this.gone.add(job.id);
    }
    for (const job of data) this.#replace(job);
    this.#changed();
  }

  #replace(job) {
    const place = this.placeOf(job.id);
    if (place < 0) return;
    this.gone.delete(job.id);
    const known = this.rows[place];
    if (JSON.stringify(known) !== JSON.stringify({ ...known, ...job })) this.rows[place] = { ...known, ...job };
  }

  #restart() {
    const { data, total, counts, next } = this.#first.value;
    this.total = total ?? data.length;
    this.counts = counts ?? {};
    this.size = Math.min(this.total, this.#most);
    this.rows = [];
    this.#places.clear();
    this.gone.clear();
    this.newer = 0;
    this.#isBehind = false;
    this.#chunks = [];
    this.#put(0, data);
    [this.#head, this.#headCursor] = [data.length, next];
    [this.#tail, this.#tailCursor] = [Math.max(this.size, data.length), null];
    if (!next || data.length >= this.size) this.#tail = this.size = this.#head;
    this.isRead = true;
    this.#changed();
  }

  #put(start, jobs) {
    for (const [index, job] of jobs.entries()) {
      this.rows[start + index] = job;
      this.#places.set(job.id, start + index);
    }
    this.arrangement += 1;
  }

  #changed() {
    this.version.value += 1;
  }
}

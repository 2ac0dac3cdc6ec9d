// A list of the server that is read page by page, as far as it has been asked for.

import { useEffect, useMemo, useSignal } from "../vendor/preact.js";
import { Resource } from "./client.js";
import { Poller } from "./poll.js";

// Many pages are read less often: no more than one request in this time.
const MS_PER_PAGE = 2_000;

/**
 * The items of the pages of a path that are loaded; a null path is not asked. `isOf` is the path that
 * they belong to: those of the one before stay until the first page of a new path is there.
 * @param {string | null} path Without `after`, which names where a page begins.
 * @param {number} everyMs
 * @returns {{items: any[], hasMore: boolean, isOf: string | null, error: any, more: () => void, refresh: () => void}}
 */
export function usePages(path, everyMs) {
  const answer = useSignal(EMPTY);
  const pages = useMemo(() => (path === null ? null : new Pages(path, everyMs, answer)), [path]);
  useEffect(() => {
    pages?.start();
    return () => pages?.stop();
  }, [pages]);
  return { ...answer.value, more: () => pages?.more(), refresh: () => pages?.refresh() };
}

const EMPTY = { items: [], hasMore: false, isOf: null, error: null };

class Pages {
  #path;
  #everyMs;
  #answer;
  #poller;
  /** @type {Resource[]} */
  #read = [];
  #count = 1;
  // Whether only the pages that are not there yet are read.
  #isGrowing = false;

  constructor(path, everyMs, answer) {
    [this.#path, this.#everyMs, this.#answer] = [path, everyMs, answer];
    this.#poller = new Poller((signal) => this.#readPages(signal), everyMs, (error) => {
      const { isOf, ...known } = this.#answer.peek();
      this.#answer.value = isOf === path ? { ...known, isOf, error } : { ...EMPTY, isOf: path, error };
    });
  }

  start() {
    this.#poller.start();
  }

  stop() {
    this.#poller.stop();
  }

  /** Loads one more page, unless one is being loaded. */
  more() {
    if (this.#count > this.#read.length) return;
    this.#count += 1;
    this.#isGrowing = true;
    this.#poller.now();
  }

  /** Reads all loaded pages again, now. */
  refresh() {
    this.#isGrowing = false;
    this.#poller.now();
  }

  /** Reads the pages in order: each begins after the present end of the one before. */
  async #readPages(signal) {
    const pages = this.#isGrowing ? [...this.#read] : [];
    this.#isGrowing = false;
    const known = new Map(this.#read.map((page) => [page.path, page]));
    let isChanged = false;
    let next = nextOf(pages);
    while (pages.length < this.#count && next !== null) {
      const path = next ? `${this.#path}&after=${encodeURIComponent(next)}` : this.#path;
      const page = known.get(path) ?? new Resource(path);
      isChanged = (await page.read(signal)) || isChanged;
      pages.push(page);
      next = nextOf(pages);
    }
    isChanged ||= pages.length !== this.#read.length;
    this.#read = pages;
    this.#count = Math.max(pages.length, 1);
    const last = this.#answer.peek();
    if (isChanged || last.error || last.isOf !== this.#path) {
      const items = pages.flatMap((page) => page.value.data);
      this.#answer.value = { items, hasMore: next !== null, isOf: this.#path, error: null };
    }
    return Math.max(this.#everyMs, pages.length * MS_PER_PAGE);
  }
}

/** Where the page after the last one begins: "" for the first, null if there is none. */
function nextOf(pages) {
  if (!pages.length) return "";
  const { has_more: hasMore, next } = pages.at(-1).value;
  return hasMore ? next : null;
}

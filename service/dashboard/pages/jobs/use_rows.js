// The rows of a view as state of the page: read as they come into sight, and polled while they are.

import { useEffect, useMemo, useRef, useSignal } from "../../vendor/preact.js";
import { RequestBudget } from "../../api/budget.js";
import { Poller } from "../../api/poll.js";
import { JobRows } from "./job_rows.js";

const POLL_MS = 3_000;
/** The views that are kept, so that who goes back finds what was there. */
const KEPT = 4;
/** How far beyond what is in sight rows are read. */
const AHEAD = 40;

/** With the line of workers in the head of the page, at most 10 requests in 10 seconds. */
export const budget = new RequestBudget(4, 2_500);

/** A view that is shown: its rows, and where in it the user is. */
class ListView {
  /** @type {{from: number, to: number}} What is in sight. */
  range = { from: 0, to: 40 };
  scrollTop = 0;
  isAtTop = true;
  /** Whether all is to be read again. */
  isStale = false;
  /** The place of the first row that is wholly in sight. */
  firstInSight = 0;

  constructor(description) {
    this.rows = new JobRows(description);
  }

  get wanted() {
    return { from: Math.max(this.range.from - AHEAD, 0), to: this.range.to + AHEAD };
  }

  /** One request or two of what the view needs most; the milliseconds until the next. */
  async step(signal) {
    if (!this.rows.isRead || this.isStale) {
      budget.take();
      this.isStale = false;
      await this.rows.start(signal);
      return this.#pauseMs;
    }
    if (budget.waitMs > 0) return budget.waitMs;
    budget.take();
    if (!this.rows.lacks(this.wanted)) {
      await this.rows.poll(this.range, this.isAtTop, signal);
      return POLL_MS;
    }
    await this.rows.fill(this.wanted, signal);
    return this.#pauseMs;
  }

  get #pauseMs() {
    return this.rows.lacks(this.wanted) ? budget.waitMs : POLL_MS;
  }
}

/** @type {Map<string, ListView>} */
const views = new Map();

function viewOf(key, description) {
  const view = views.get(key) ?? new ListView(description);
  views.delete(key);
  views.set(key, view);
  if (views.size > KEPT) views.delete(views.keys().next().value);
  return view;
}

/**
 * The rows of a view. While a new view is not read yet, the one before it is shown.
 * @param {ConstructorParameters<typeof JobRows>[0]} description
 */
export function useRows(description) {
  const key = JSON.stringify({ ...description, filters: String(description.filters) });
  const view = useMemo(() => viewOf(key, description), [key]);
  const error = useSignal(null);
  const poller = useMemo(() => {
    const work = async (signal) => {
      const waitMs = await view.step(signal);
      error.value = null;
      return waitMs;
    };
    return new Poller(work, POLL_MS, (problem) => {
      error.value = problem;
    });
  }, [view]);
  useEffect(() => {
    error.value = null;
    poller.start();
    return () => poller.stop();
  }, [poller]);
  view.rows.version.value;
  const shown = useRef(view);
  if (view.rows.isRead || error.value) shown.current = view;
  return {
    view: shown.current,
    isLoading: !view.rows.isRead && !error.value,
    error: error.value,
    refresh: () => poller.now(),
    /** Reads all again, as after jobs were deleted. */
    restart: () => {
      view.isStale = true;
      poller.now();
    },
  };
}

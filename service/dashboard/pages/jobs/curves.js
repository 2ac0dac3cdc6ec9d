// The loss of the jobs in sight, a few points each.

import { signal, useEffect, useMemo, useState } from "../../vendor/preact.js";
import { Resource } from "../../api/client.js";
import { Poller } from "../../api/poll.js";
import { viewOf } from "../../text/kinds.js";
import { budget } from "./use_rows.js";

const POLL_MS = 10_000;
const POINTS = 40;
const MOST_IDS = 100;
/** How long rows stay in sight before their curves are asked for. */
const REST_MS = 250;
const MOST_KEPT = 2_000;

/** The [step, value] pairs by the ids of the jobs. */
export const curves = signal(/** @type {Map<string, [number, number | null][]>} */ (new Map()));

/** Reads the curves of jobs while they are in sight. */
export function useCurves(jobs, isShown) {
  const ids = jobs.filter((job) => viewOf(job).charts && job.progress.step > 0).map(({ id }) => id).slice(0, MOST_IDS);
  const wanted = isShown && ids.length ? ids.join(",") : null;
  const rested = useRested(wanted);
  const poller = useMemo(() => (rested === null ? null : pollerOf(rested)), [rested]);
  useEffect(() => {
    poller?.start();
    return () => poller?.stop();
  }, [poller]);
}

function pollerOf(ids) {
  const query = new URLSearchParams({ ids, name: "loss", max_points: String(POINTS) });
  const resource = new Resource(`jobs/series?${query}`);
  const work = async (signal) => {
    if (budget.waitMs > 0) return budget.waitMs;
    budget.take();
    if (await resource.read(signal)) keepCurves(resource.value.data);
    return POLL_MS;
  };
  // A curve that cannot be read leaves its cell empty; of a server that is away the banner tells.
  return new Poller(work, POLL_MS, () => {});
}

function keepCurves(series) {
  const read = series.map(({ id, points }) => [id, points]);
  curves.value = new Map([...[...curves.peek()].slice(-MOST_KEPT), ...read]);
}

/** A value once it has not changed for a moment. */
function useRested(value) {
  const [rested, setRested] = useState(null);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), REST_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}

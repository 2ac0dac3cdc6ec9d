// On which worker each running job is.

import { signal, useEffect } from "../../vendor/preact.js";
import { usePolled } from "../../api/polled.js";

const POLL_MS = 10_000;

/** The host of each job that runs, by its id. */
export const hosts = signal(/** @type {Map<string, string>} */ (new Map()));

/** Reads the workers while their column is shown. */
export function useHosts(isShown) {
  const { value } = usePolled(isShown ? "workers?samples=false" : null, POLL_MS);
  useEffect(() => {
    if (!value) return;
    hosts.value = new Map(value.data.flatMap(({ host, jobs }) => (jobs ?? []).map((id) => [id, host])));
  }, [value]);
}

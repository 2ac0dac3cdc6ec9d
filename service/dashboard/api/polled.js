// Answers of the server as state of the page: read at an interval, drawn again if they differ.

import { useEffect, useMemo, useSignal } from "../vendor/preact.js";
import { Resource } from "./client.js";
import { Poller } from "./poll.js";

/**
 * The answer of a path that is polled while the component is there; a null path is not asked.
 * `everyMs` may be a function of the last answer. The last answer stays shown beside an error.
 * @template T
 * @param {string | null} path
 * @param {number | ((value: T) => number)} everyMs
 * @returns {{value: T | null, error: Error | null, refresh: () => void}}
 */
export function usePolled(path, everyMs) {
  const answer = useSignal(EMPTY);
  const poller = useMemo(() => (path === null ? null : pollerOf(path, everyMs, answer)), [path]);
  useEffect(() => {
    answer.value = EMPTY;
    poller?.start();
    return () => poller?.stop();
  }, [poller]);
  return { ...answer.value, refresh: () => poller?.now() };
}

const EMPTY = { value: null, error: null };

function pollerOf(path, everyMs, answer) {
  const resource = new Resource(path);
  const intervalMs = () => (typeof everyMs === "function" ? everyMs(resource.value) : everyMs);
  const read = async (signal) => {
    const isChanged = await resource.read(signal);
    if (isChanged || answer.peek().error) answer.value = { value: resource.value, error: null };
    return intervalMs();
  };
  const firstMs = typeof everyMs === "function" ? 2_000 : everyMs;
  return new Poller(read, firstMs, (error) => {
    answer.value = { value: resource.value, error };
  });
}

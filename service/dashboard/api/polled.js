// Answers of the server as state of the page: read at an interval, drawn again if they differ.

import { useEffect, useMemo, useSignal } from "../vendor/preact.js";
import { Resource } from "./client.js";
import { Poller } from "./poll.js";

/**
 * The answer of a path that is polled while the component is there; a null path is not asked.
 * `everyMs` may be a function of the last answer. The last answer stays beside an error. A change of
 * `version` asks at once, as for what belongs to something that has changed.
 * @param {string | null} path
 * @param {number | ((value: any) => number)} everyMs
 * @param {unknown} [version]
 * @returns {{value: any, error: (Error & {status?: number}) | null, refresh: () => void}}
 */
export function usePolled(path, everyMs, version) {
  const answer = useSignal(EMPTY);
  const poller = useMemo(() => (path === null ? null : pollerOf(path, everyMs, answer)), [path]);
  useEffect(() => {
    answer.value = EMPTY;
    poller?.start();
    return () => poller?.stop();
  }, [poller]);
  useEffect(() => poller?.now(), [version]);
  return { ...answer.value, refresh: () => poller?.now() };
}

const EMPTY = { value: null, error: null };
const FIRST_MS = 2_000;

function pollerOf(path, everyMs, answer) {
  const resource = new Resource(path);
  const intervalMs = () => (typeof everyMs === "function" ? everyMs(resource.value) : everyMs);
  const read = async (signal) => {
    const isChanged = await resource.read(signal);
    if (isChanged || answer.peek().error) answer.value = { value: resource.value, error: null };
    return intervalMs();
  };
  return new Poller(read, typeof everyMs === "function" ? FIRST_MS : everyMs, (error) => {
    answer.value = { value: resource.value, error };
  });
}

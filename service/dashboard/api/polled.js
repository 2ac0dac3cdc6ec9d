// Answers of the server as state of the page: read at an interval, drawn again if they differ.

import { useEffect, useMemo, useRef } from "../vendor/preact.js";
import { SharedPoll } from "./shared_poll.js";

/**
 * The answer of a path that is polled while the component is there; a null path is not asked. Parts
 * that show the same path share its poll, at the shortest of their intervals.
 * `everyMs` may be a function of the last answer. The last answer stays beside an error. A change of
 * `version` asks at once, as for what belongs to something that has changed.
 * @param {string | null} path
 * @param {number | ((value: any) => number)} everyMs
 * @param {unknown} [version]
 * @returns {{value: any, error: (Error & {status?: number}) | null, refresh: () => void}}
 */
export function usePolled(path, everyMs, version) {
  const poll = useMemo(() => (path === null ? null : SharedPoll.of(path)), [path]);
  useEffect(() => poll?.join(everyMs), [poll]);
  useOnChange(version, () => poll?.now());
  return { ...(poll?.answer.value ?? EMPTY), refresh: () => poll?.now() };
}

const EMPTY = { value: null, error: null };

/** Runs when a value is another than it was, and not when it is first there. */
function useOnChange(value, run) {
  const last = useRef(value);
  useEffect(() => {
    if (last.current === value) return;
    last.current = value;
    run();
  }, [value]);
}

// What the server would say of a draft, asked a moment after each change.

import { useEffect, useState } from "../../vendor/preact.js";
import { ApiProblem, send } from "../../api/client.js";

const PAUSE_MS = 400;

/**
 * `completed` is the specification with every default, `problems` what is wrong by the pointer of its
 * field; null while the first answer is not there. `hints` are what is worth knowing of one that can
 * run. Nothing is stored by asking.
 * @returns {{completed: any, hints: import("../../api/types").Hint[], problems: Map<string, string>, isChecked: boolean}}
 */
export function useDryRun(draft) {
  const [answer, setAnswer] = useState({ completed: null, hints: [], problems: new Map(), isChecked: false });
  const body = JSON.stringify(draft);
  useEffect(() => {
    setAnswer((before) => ({ ...before, isChecked: false }));
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { spec, hints } = await send("POST", "jobs?validate_only=true&explain=true", draft, { signal: abort.signal });
        setAnswer({ completed: spec, hints, problems: new Map(), isChecked: true });
      } catch (error) {
        if (!abort.signal.aborted) setAnswer((before) => ({ ...before, hints: [], problems: problemsOf(error), isChecked: true }));
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort(new DOMException("changed", "AbortError"));
    };
  }, [body]);
  return answer;
}

/** By pointer; what belongs to no field has the pointer "". */
export function problemsOf(error) {
  const own = error instanceof ApiProblem ? error.errors : [];
  return own.length ? new Map(own.map(({ pointer, detail }) => [pointer ?? "", detail])) : new Map([["", error.message]]);
}

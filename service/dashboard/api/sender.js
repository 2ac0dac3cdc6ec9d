// A call that a button makes: whether it is under way, and why it was refused.

import { useState } from "../vendor/preact.js";

/**
 * `run(work)` waits for `work()`, and keeps the message of its error; `problem` is null without one.
 * @returns {{run: (work: () => Promise<any>) => Promise<void>, isSending: boolean, problem: string | null}}
 */
export function useSender() {
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState(null);
  const run = async (work) => {
    setSending(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error.message);
    } finally {
      setSending(false);
    }
  };
  return { run, isSending, problem };
}

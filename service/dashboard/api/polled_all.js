// Answers of several paths as one state of the page.

import { useEffect, useMemo, useSignal } from "../vendor/preact.js";
import { ApiProblem, Resource } from "./client.js";
import { Poller } from "./poll.js";

/**
 * The answers of paths that are polled while the component is there, by path: `{value, error}`. A path
 * that is refused, as that of a job which is deleted, has an error and holds up no other.
 * @param {string[]} paths
 * @param {number} everyMs
 * @returns {Map<string, {value: any, error: Error | null}>}
 */
export function usePolledAll(paths, everyMs) {
  const answers = useSignal(new Map());
  const poller = useMemo(() => pollerOf(paths, everyMs, answers), [paths.join("\n")]);
  useEffect(() => {
    poller.start();
    return () => poller.stop();
  }, [poller]);
  return answers.value;
}

function pollerOf(paths, everyMs, answers) {
  const resources = paths.map((path) => new Resource(path));
  const read = async (signal) => {
    const changes = await Promise.all(resources.map((resource) => readOne(resource, answers.peek().get(resource.path), signal)));
    const isChanged = changes.some((change) => change !== null);
    if (!isChanged && answers.peek().size === paths.length) return;
    answers.value = new Map(
      resources.map(({ path }, index) => [path, changes[index] ?? answers.peek().get(path)]),
    );
  };
  return new Poller(read, everyMs, (error) => console.error(error));
}

/** The new answer of a path; null if it is as before. */
async function readOne(resource, before, signal) {
  try {
    const isChanged = await resource.read(signal);
    return isChanged || !before || before.error ? { value: resource.value, error: null } : null;
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    return before?.error?.message === error.message ? null : { value: resource.value, error };
  }
}

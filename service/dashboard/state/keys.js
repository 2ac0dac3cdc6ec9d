// The keys of the page: a page adds those that it understands while it is shown.

import { signal, useEffect, useRef } from "../vendor/preact.js";

/**
 * @typedef {object} KeyEntry
 * @property {string} key As the browser names it: "j", "/", "Enter".
 * @property {string} title What it does, as in "Next job".
 * @property {((event: KeyboardEvent) => void) | null} run Nothing for a key that the browser itself understands.
 */

/** The keys that are understood now, by the part of the page that they belong to. */
export const keyTable = signal(/** @type {{part: string, keys: KeyEntry[]}[]} */ ([]));

/**
 * Has keys do something while the component is there.
 * @param {string} part What they belong to, as in "Jobs".
 * @param {KeyEntry[]} keys
 */
export function useKeys(part, keys) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const run = (index) => (event) => latest.current[index].run(event);
    const group = { part, keys: keys.map((entry, index) => ({ ...entry, run: entry.run && run(index) })) };
    keyTable.value = [...keyTable.peek(), group];
    return () => {
      keyTable.value = keyTable.peek().filter((each) => each !== group);
    };
  }, [part]);
}

const TYPED_IN = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/** @type {Element} */ (event.target).closest(TYPED_IN)) return;
  const entry = keyTable.peek().flatMap(({ keys }) => keys).find(({ key, run }) => run && key === event.key);
  if (!entry) return;
  event.preventDefault();
  entry.run(event);
});

// The keys of the list of jobs.

import { useKeys } from "../../state/keys.js";

/**
 * @param {object} props
 * @param {{current: number | null, move: (step: number) => void, select: (place: number, event: {shiftKey: boolean}) => void, clear: () => void}} props.list
 * @param {{current: HTMLInputElement | null}} props.search
 */
export function useListKeys({ list, search }) {
  const select = (event) => list.current !== null && list.select(list.current, event);
  useKeys("Jobs", [
    { key: "/", title: "Search", run: () => search.current.focus() },
    { key: "j", title: "Next job", run: () => list.move(1) },
    { key: "k", title: "Previous job", run: () => list.move(-1) },
    { key: "x", title: "Select the job", run: select },
    { key: "X", title: "Select all jobs up to this one", run: select },
    { key: "Enter", title: "Open the job", run: null },
    { key: "Escape", title: "Select no job", run: () => list.clear() },
  ]);
}

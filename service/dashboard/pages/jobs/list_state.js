// What a user does with the list: where in it they are, what is selected, which groups are folded.

import { useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";
import { announce } from "../../state/announcer.js";
import { counted } from "../../text/format.js";
import { arranged } from "./arrangement.js";
import { columnOf } from "./columns.js";
import { Selection } from "./selection.js";

const SCROLL_REST_MS = 100;

/**
 * The rows of the table: all of the view in its order, or as the page sorts and groups them.
 * @param {import("./job_rows.js").JobRows} rows
 */
export function useItems(rows, { order, group, isArranged }) {
  const [folded, setFolded] = useState(new Set());
  useEffect(() => setFolded(new Set()), [group]);
  const column = order.isServers ? null : columnOf(order.name);
  // The order stays while jobs change, so that no row moves by itself; what is shown of each is new.
  const items = useMemo(() => {
    if (!isArranged) return null;
    const groupOf = group ? (job) => job.labels[group] : null;
    return arranged(rows.rows.filter(Boolean), { valueOf: column?.value ?? null, isDescending: order.isDescending, groupOf, folded });
  }, [rows, rows.arrangement, isArranged, order.name, order.isDescending, group, folded]);
  const fold = (name) => setFolded((last) => (last.has(name) ? new Set([...last].filter((each) => each !== name)) : new Set([...last, name])));
  const jobAt = (job) => ({ job: rows.rows[rows.placeOf(job.id)] ?? job });
  if (!items) {
    return { size: rows.size, at: (place) => rows.rows[place] && { job: rows.rows[place] }, placeOf: (id) => rows.placeOf(id), fold, isArranged };
  }
  const placeOf = (id) => items.findIndex((item) => "job" in item && item.job.id === id);
  return { size: items.length, at: (place) => (items[place] && "job" in items[place] ? jobAt(items[place].job) : items[place]), placeOf, fold, isArranged };
}

/** What is selected in a view; another view begins with nothing. */
export function useSelection(filters) {
  const selection = useMemo(() => new Selection(), []);
  const text = String(filters);
  useEffect(() => selection.clear(), [text]);
  return selection;
}

/** Where the user is in the list, and what their keys and clicks do there. */
export function useListPlace({ view, items, selection, refresh }) {
  const [at, setAt] = useState(NOWHERE);
  const rest = useRested();
  useEffect(() => setAt(NOWHERE), [view]);
  const found = at.id === null ? -1 : items.placeOf(at.id);
  const current = found >= 0 ? found : at.place;
  const [steps, setSteps] = useState(0);
  const goTo = (place) => setAt((last) => (last.place === place ? last : { place, id: items.at(place)?.job?.id ?? null }));
  const move = (step) => {
    goTo(current === null ? view.firstInSight : Math.min(Math.max(current + step, 0), items.size - 1));
    setSteps((last) => last + 1);
  };
  const onRange = (hasMoved) =>
    rest(() => {
      const isWaiting = !items.isArranged && view.rows.lacks(view.wanted);
      if (isWaiting || (hasMoved && view.isAtTop)) refresh();
    });
  const toTop = () => {
    document.querySelector(".job-box")?.scrollTo({ top: 0 });
    view.isAtTop = true;
    refresh();
  };
  const select = (place, event) => selectAt({ view, items, selection }, place, event.shiftKey);
  const clear = () => {
    selection.clear();
    setAt(NOWHERE);
  };
  const tableProps = { view, size: items.size, itemAt: items.at, selection, current, steps, onSelect: select, onFold: items.fold, onRange, onFocus: goTo };
  return { current, move, select, clear, toTop, tableProps };
}

const NOWHERE = { place: null, id: null };

/** Selects the job at a place, or all from the last one to it. */
async function selectAt({ view, items, selection }, place, isRange) {
  const idsIn = ({ from, to }) => Array.from({ length: to - from }, (_, index) => items.at(from + index)?.job?.id).filter(Boolean);
  const [id] = idsIn({ from: place, to: place + 1 });
  if (!id) return;
  if (!isRange) {
    selection.toggle(id, place, () => idsIn({ from: 0, to: items.size }));
    return;
  }
  const range = selection.rangeTo(place);
  // Rows between two that are far apart may not be read yet.
  while (!items.isArranged && view.rows.lacks(range)) await view.rows.fill(range);
  selection.add(idsIn(range));
  announce(`${counted(selection.chosen.value.ids.size, "job", "jobs")} selected`);
}

/** Calls the last function that it was given once there was no other for a moment, and draws again. */
function useRested() {
  const timer = useRef(0);
  const [, draw] = useState(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (work) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      draw((last) => last + 1);
      work();
    }, SCROLL_REST_MS);
  };
}

// The table of the jobs, of which only the rows in sight are elements.

import { useEffect, useLayoutEffect, useRef, useState } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { addressOf, route } from "../../state/route.js";
import { classOf, columnOf, FIRST_COLUMNS } from "./columns.js";
import { GroupRow, JobRow, PendingRow } from "./job_row.js";
import { orderOf, sortBy } from "./view.js";

const NARROW = matchMedia("(max-width: 820px)");
const heightOfRow = () => (NARROW.matches ? 74 : 54);
/** Rows that are drawn before and after those in sight, in steps of which the range moves. */
const BEYOND = 10;

/** The rows of a scrolled box that are in sight; it may be higher than the list is long. */
function rangeOf({ scrollTop, clientHeight }, rowHeight) {
  const first = Math.floor(scrollTop / rowHeight);
  const from = Math.max(Math.floor(first / BEYOND) * BEYOND - BEYOND, 0);
  const to = Math.ceil((first + clientHeight / rowHeight) / BEYOND) * BEYOND + BEYOND;
  return { from, to };
}

/**
 * @param {object} props
 * @param {any} props.view Another view begins where it was left.
 * @param {number} props.size The number of rows.
 * @param {(place: number) => any} props.itemAt
 * @param {string[]} props.columnKeys
 * @param {import("./selection.js").Selection} props.selection
 * @param {number | null} props.current The place of the row that the keys are at.
 * @param {number} props.steps How often the keys have moved: a click on a row scrolls nothing.
 * @param {(place: number, event: MouseEvent) => void} props.onSelect
 * @param {(group: string | null) => void} props.onFold
 * @param {(hasMoved: boolean) => void} props.onRange Is told whether the head came into sight or went.
 * @param {(place: number) => void} props.onFocus
 * @param {string} props.filters Of the view.
 * @param {boolean} props.isBusy
 */
export function JobTable({ view, size, itemAt, columnKeys, selection, filters, current, steps, onSelect, onFold, onRange, onFocus, isBusy }) {
  const box = useRef(null);
  const rowHeight = useRowHeight();
  const range = useRange(box, { view, size, rowHeight, onRange });
  useCurrent(box, { current, steps, rowHeight });
  const columns = [...FIRST_COLUMNS, ...columnKeys.map(columnOf)];
  const places = Array.from({ length: Math.max(Math.min(range.to, size) - range.from, 0) }, (_, index) => range.from + index);
  const tracks = ["34px", ...columns.map(({ width }) => width)].join(" ");
  return html`
    <div class="job-box" ref=${box} aria-busy=${isBusy}>
      <table
        class="job-table"
        role="table"
        aria-label="Jobs"
        aria-rowcount=${size + 1}
        style=${{ "--tracks": tracks, "--row-height": `${rowHeight}px`, "--rows": size }}
      >
        <thead role="rowgroup"><${Heads} columns=${columns} selection=${selection} filters=${filters} /></thead>
        <tbody role="rowgroup" onFocusIn=${(event) => onFocus(Number(event.target.closest("tr").getAttribute("aria-rowindex")) - 2)}>
          ${places.map((place) => html`<${Row} key=${keyOf(itemAt(place), place)} ...${{ place, item: itemAt(place), columns, selection, view, isCurrent: place === current, onSelect, onFold }} />`)}
        </tbody>
      </table>
    </div>
  `;
}

function keyOf(item, place) {
  if (!item) return `place-${place}`;
  return item.job ? item.job.id : `group-${item.group}`;
}

function Row({ item, ...props }) {
  if (!item) return html`<${PendingRow} place=${props.place} columns=${props.columns} />`;
  if (item.job) return html`<${JobRow} job=${item.job} isGone=${props.view.rows.gone.has(item.job.id)} ...${props} />`;
  return html`<${GroupRow} item=${item} ...${props} />`;
}

function Heads({ columns, selection, filters }) {
  const { segments, query } = route.value;
  const order = orderOf(query);
  const present = Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)]));
  const isOther = (column) => column.key !== order.name && columns.some(({ key }) => key === order.name);
  const head = (column) => {
    const name = column.order ?? column.key;
    const isSorted = order.name === name && !isOther(column);
    const isDescending = isSorted ? !order.isDescending : startsDescending(column);
    const href = addressOf(segments.length ? segments : ["jobs"], { ...present, sort: sortBy(name, isDescending) });
    const sorted = isSorted ? (order.isDescending ? "descending" : "ascending") : undefined;
    return html`
      <th key=${column.key} scope="col" role="columnheader" class=${classOf(column)} aria-sort=${sorted}>
        <a href=${href} title=${`Sort by ${column.title.toLowerCase()}`}>${column.title}</a>
      </th>
    `;
  };
  return html`<tr role="row" aria-rowindex="1"><th scope="col" role="columnheader" class="check"><${SelectAll} selection=${selection} filters=${filters} /></th>${columns.map(head)}</tr>`;
}

function SelectAll({ selection, filters }) {
  const isAll = selection.chosen.value.filter !== null;
  const toggle = () => (isAll ? selection.clear() : selection.addAll(filters));
  return html`<input type="checkbox" aria-label="Select all jobs that match" checked=${isAll} onClick=${toggle} />`;
}

/** What is better high comes first by the first click: not losses, errors and names. */
const startsDescending = ({ key, isNumber, order }) => (isNumber || order === "created_at") && !/loss|error/.test(key);

function useRowHeight() {
  const [height, setHeight] = useState(heightOfRow);
  useEffect(() => {
    const look = () => setHeight(heightOfRow());
    NARROW.addEventListener("change", look);
    return () => NARROW.removeEventListener("change", look);
  }, []);
  return height;
}

/** The rows to draw; tells the view what is in sight, and has another view begin where it was left. */
function useRange(box, { view, size, rowHeight, onRange }) {
  const [range, setRange] = useState({ from: 0, to: 40 });
  const look = () => {
    const next = rangeOf(box.current, rowHeight);
    view.range = next;
    view.scrollTop = box.current.scrollTop;
    view.firstInSight = Math.ceil(box.current.scrollTop / rowHeight);
    const isAtTop = box.current.scrollTop < rowHeight / 2;
    const hasMoved = isAtTop !== view.isAtTop;
    view.isAtTop = isAtTop;
    setRange((last) => (last.from === next.from && last.to === next.to ? last : next));
    onRange(hasMoved);
  };
  const latest = useRef(look);
  latest.current = look;
  useLayoutEffect(() => {
    box.current.scrollTop = view.scrollTop;
    latest.current();
  }, [view, size, rowHeight]);
  useEffect(() => {
    const watched = box.current;
    const seen = () => latest.current();
    watched.addEventListener("scroll", seen, { passive: true });
    const sizes = new ResizeObserver(seen);
    sizes.observe(watched);
    return () => {
      watched.removeEventListener("scroll", seen);
      sizes.disconnect();
    };
  }, []);
  return range;
}

/** Brings the row of the keys into sight, and the focus to it. */
function useCurrent(box, { current, steps, rowHeight }) {
  const isDue = useRef(false);
  useLayoutEffect(() => {
    isDue.current = steps > 0 && current !== null;
    if (!isDue.current) return;
    const head = box.current.querySelector("thead").offsetHeight;
    const top = current * rowHeight;
    const least = top + rowHeight + head - box.current.clientHeight;
    if (box.current.scrollTop > top) box.current.scrollTop = top;
    else if (box.current.scrollTop < least) box.current.scrollTop = least;
  }, [steps]);
  useEffect(() => {
    // The row is drawn once it has come into sight.
    const row = isDue.current && box.current.querySelector(`tr[aria-rowindex="${current + 2}"]`);
    if (!row) return;
    isDue.current = false;
    if (!row.contains(document.activeElement)) row.querySelector("a.title, button")?.focus({ preventScroll: true });
  });
}

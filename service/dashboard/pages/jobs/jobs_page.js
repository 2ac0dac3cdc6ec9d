// The page of all jobs.

import { useEffect, useRef } from "../../vendor/preact.js";
import { CsvLink } from "../../parts/csv_link.js";
import { html } from "../../parts/html.js";
import { counted } from "../../text/format.js";
import { BulkBar } from "./bulk_bar.js";
import { ColumnChoice, GroupChoice, OrderChoice } from "./column_choice.js";
import { chosenColumns, columnOf, FIELDS } from "./columns.js";
import { useCurves } from "./curves.js";
import { FirstJob, NothingFound } from "./empty.js";
import { Chips, Kinds, Mine, Search, States } from "./filters.js";
import { useHosts } from "./hosts.js";
import { useListKeys } from "./list_keys.js";
import { useItems, useListPlace, useSelection } from "./list_state.js";
import { JobTable } from "./job_table.js";
import { useRows } from "./use_rows.js";
import { bulkFilter, exportQuery, filtersOf, isFiltered, orderOf } from "./view.js";

/** How many jobs the page itself sorts and groups. */
const ARRANGED = 1_000;

export function JobsPage({ query }) {
  const list = useList(query);
  const { rows, filters, error, isArranged } = list;
  useEffect(() => {
    document.title = "Jobs – Trainyard";
  }, []);
  return html`
    <div class="jobs">
      <div class="page-head"><h1>Jobs</h1><${Tools} query=${query} list=${list} /></div>
      <${States} query=${query} counts=${rows.counts} />
      <${Chips} query=${query} />
      ${error && html`<${Refusal} error=${error} isUsual=${![...query].length} />`}
      ${!rows.isRead && !error && html`<p class="quiet late" role="status">Loading the jobs…</p>`}
      ${rows.isRead && html`<${Rows} query=${query} list=${list} />`}
      ${isArranged && rows.total > ARRANGED && html`<p class="quiet">Of ${counted(rows.total, "job", "jobs")} the newest ${counted(ARRANGED, "job is", "are")} here: search or filter to see others.</p>`}
      <${BulkBar} selection=${list.selection} total=${rows.total} filters=${String(filters)} filter=${bulkFilter(query)} afterwards=${list.afterwards} />
    </div>
  `;
}

/** The list of a view: its rows as they are sorted and grouped, where the user is in it, what is selected. */
function useList(query) {
  const columnKeys = chosenColumns(query);
  const order = orderOf(query);
  const group = query.get("group");
  const isArranged = Boolean(group) || !order.isServers;
  const filters = filtersOf(query);
  const { view, error, isLoading, refresh, restart } = useRows({
    filters,
    order: order.isServers ? `${order.isDescending ? "-" : ""}${order.name}` : "-created_at",
    fields: fieldsOf(columnKeys, order),
    most: isArranged ? ARRANGED : null,
  });
  const { rows } = view;
  const items = useItems(rows, { order, group, isArranged });
  const selection = useSelection(filters);
  const place = useListPlace({ view, items, selection, refresh });
  const search = useRef(null);
  useListKeys({ list: place, search });
  useCurves(jobsInSight(view, items), columnKeys.includes("curve"));
  useHosts(columnKeys.includes("worker"));
  const afterwards = (action, results) => {
    rows.replace(results.flatMap(({ job }) => (job ? [job] : [])));
    if (action === "delete") restart();
    else refresh();
  };
  return { rows, items, selection, place, search, filters, columnKeys, isArranged, isLoading, error, afterwards };
}

function Tools({ query, list }) {
  return html`
    <div class="list-tools">
      <${Search} query=${query} field=${list.search} />
      <${Mine} query=${query} />
      <${Kinds} query=${query} />
      <${GroupChoice} query=${query} keys=${labelKeys(list.rows)} />
      <${OrderChoice} query=${query} />
      <${ColumnChoice} query=${query} chosen=${list.columnKeys} />
      <${CsvLink} of="These jobs" path="exports/jobs.csv" query=${exportQuery(query)} />
    </div>
  `;
}

function Rows({ query, list }) {
  const { rows, items, place, filters, columnKeys, isLoading } = list;
  if (!items.size) return html`<${Empty} query=${query} />`;
  return html`
    <div class="job-area">
      <${Newer} rows=${rows} onShow=${place.toTop} />
      <${JobTable} ...${place.tableProps} columnKeys=${columnKeys} filters=${String(filters)} isBusy=${isLoading} />
    </div>
  `;
}

function Empty({ query }) {
  return isFiltered(query) ? html`<${NothingFound} />` : html`<${FirstJob} />`;
}

/** Why the server shows no such list, without the names of its own for where a value was. */
function Refusal({ error, isUsual }) {
  const reason = error.message.replaceAll("query/", "");
  return html`<p class="callout" data-tone="bad" role="alert">Jobs: ${reason}${!isUsual && html` <a href="#/jobs">Show all jobs</a>`}</p>`;
}

/** That jobs have come which are not in the list yet, since it would move. */
function Newer({ rows, onShow }) {
  if (!rows.newer) return null;
  return html`<button type="button" class="button newer" onClick=${onShow}>${counted(rows.newer, "new job", "new jobs")}</button>`;
}

function fieldsOf(columnKeys, order) {
  const sorted = order.isServers ? null : columnOf(order.name);
  const needsSpec = [...columnKeys.map(columnOf), sorted].some((column) => column?.needsSpec);
  return needsSpec ? [...FIELDS, "spec"] : FIELDS;
}

const labelKeys = (rows) => [...new Set(rows.rows.slice(0, 200).flatMap((job) => Object.keys(job?.labels ?? {})))];

function jobsInSight({ range }, items) {
  const places = Array.from({ length: range.to - range.from }, (_, index) => range.from + index);
  return places.flatMap((place) => items.at(place)?.job ?? []);
}

// The checkpoints that an address asks for, as paths of the API.

const PAGE = 50;
const FILTERS = ["job", "recipe", "variant", "tag", "phase"];
const OF_LATEST = ["job", "recipe", "variant"];
export const DEFAULT_ORDER = "-created_at";
export const METRICS = ["loss", "top1_error", "top5_error"];

/** The orders that the page offers: as the API calls them, and in words. */
export const ORDERS = [
  ["-created_at", "newest first"],
  ["created_at", "oldest first"],
  ["-step", "highest step"],
  ["step", "lowest step"],
  ["metrics.top1_error", "lowest top-1 error"],
  ["-metrics.top1_error", "highest top-1 error"],
  ["metrics.top5_error", "lowest top-5 error"],
  ["-metrics.top5_error", "highest top-5 error"],
  ["metrics.loss", "lowest validation loss"],
  ["-metrics.loss", "highest validation loss"],
];

/** What a file of all kept checkpoints of a view is asked for by. */
export function exportQuery(query) {
  const asked = new URLSearchParams(listPath(query).split("?")[1]);
  for (const name of ["limit", "manifest"]) asked.delete(name);
  return asked;
}

/** The removed ones are a list of their own, unless one state is asked for. */
export function listPath(query, { isRemoved = false } = {}) {
  const asked = present(query, FILTERS);
  if (query.get("pinned")) asked.pinned = query.get("pinned");
  if (query.get("state")) asked.state = query.get("state");
  else asked.retained = String(!isRemoved);
  return pathOf("checkpoints", { ...asked, order_by: orderOf(query), limit: String(PAGE), manifest: "false" });
}

export const latestPath = (query) => pathOf("checkpoints/latest", present(query, OF_LATEST));

export const bestPath = (query) => pathOf("checkpoints/best", { ...present(query, OF_LATEST), metric: bestMetric(query) });

export const orderOf = (query) => query.get("order_by") || DEFAULT_ORDER;

/** The metric that the list is sorted by, if it is by one; else the one that most look at. */
export const bestMetric = (query) => sortMetric(query) ?? "top1_error";

export function sortMetric(query) {
  const name = orderOf(query).replace(/^-?metrics\./, "");
  return METRICS.includes(name) ? name : null;
}

/** Whether the list is narrowed by anything. */
export const isNarrowed = (query) => [...FILTERS, "pinned", "state"].some((name) => query.get(name));

const present = (query, names) => Object.fromEntries(names.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));

const pathOf = (path, query) => (Object.keys(query).length ? `${path}?${new URLSearchParams(query)}` : path);

// The list's view, as the address says it: what is asked of the server, and in which order.

const DEFAULT_ORDER = "-created_at";

/** The kinds that most look for; imports, exports and checks are shown on request. */
export const USUAL_KINDS = ["train", "eval", "search"];

/** The entries of the address that are filters of the server. */
const isFilter = (name) => ["q", "name", "label", "state", "recipe", "created_after", "submitted_by", "parts"].includes(name) || name.startsWith("param.");

const isServersOrder = (name) => ["created_at", "duration", "priority"].includes(name) || name.startsWith("metrics.");

/** The order of a view: `name` of a column, and whether the largest come first. */
export function orderOf(query) {
  const text = query.get("sort") || DEFAULT_ORDER;
  const isDescending = text.startsWith("-");
  const name = isDescending ? text.slice(1) : text;
  return { name, isDescending, isServers: isServersOrder(name), isByTime: name === "created_at" };
}

/** The entry of the address that sorts by a column; the usual order has none. */
export function sortBy(name, isDescending) {
  const text = `${isDescending ? "-" : ""}${name}`;
  return text === DEFAULT_ORDER ? null : text;
}

/** What the server is asked for in a view, without its order. */
export function filtersOf(query) {
  const entries = [...query].filter(([name, value]) => isFilter(name) && value !== "");
  const kinds = query.has("kind") ? query.getAll("kind").filter((kind) => kind !== "all") : USUAL_KINDS;
  return new URLSearchParams([...entries, ...kinds.map((kind) => ["kind", kind])]);
}

/** What a file of all jobs of a view is asked for by; an order of the page's own is left out. */
export function exportQuery(query) {
  const { name, isDescending, isServers } = orderOf(query);
  const order = isServers ? [["order_by", `${isDescending ? "-" : ""}${name}`]] : [];
  return new URLSearchParams([...filtersOf(query), ...order]);
}

/** Whether the view has filters of its own beside those that every view has. */
export const isFiltered = (query) => [...query].some(([name, value]) => (isFilter(name) || name === "kind") && value !== "");

/** The filters that are shown as chips: those without a control of their own. */
export const chipsOf = (query) =>
  [...query].filter(([name, value]) => isFilter(name) && !["q", "state"].includes(name) && value !== "");

/** The values of an entry with one of them taken away. */
export const without = (query, name, value) => query.getAll(name).filter((each) => each !== value);

/** The filter as `POST /jobs/bulk` has it: several values of a name are a list. */
export function bulkFilter(query) {
  const filters = filtersOf(query);
  const names = new Set(filters.keys());
  return Object.fromEntries([...names].map((name) => [name, isMany(name) ? filters.getAll(name) : filters.get(name)]));
}

const isMany = (name) => ["label", "state", "kind"].includes(name);

// The address of the page: "#/jobs?q=digits" is a path and a query, and all that a view is made of.

import { computed, signal } from "../vendor/preact.js";

const hash = signal(location.hash);

window.addEventListener("hashchange", () => {
  // The skip link's fragment is a place in the page, and no address.
  if (location.hash !== "#view") hash.value = location.hash;
});

/**
 * The address as the parts of its path, without escapes, and its query.
 * @type {import("../vendor/preact.js").ReadonlySignal<{segments: string[], query: URLSearchParams}>}
 */
export const route = computed(() => {
  const [path, query] = hash.value.replace(/^#\/?/, "").split("?");
  return { segments: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
});

/** The address of a view, for a link; entries of `query` that are null or empty are left out. */
export function addressOf(segments, query = {}) {
  const path = `#/${segments.map(encodeURIComponent).join("/")}`;
  const entries = Object.entries(query).flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  const present = entries.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return present.length ? `${path}?${new URLSearchParams(present)}` : path;
}

/** Goes to an address; with `replace`, the one before is not kept for the back button. */
export function navigate(address, { replace = false } = {}) {
  if (address === location.hash) return;
  if (!replace) {
    location.hash = address;
    return;
  }
  history.replaceState(history.state, "", address);
  hash.value = address;
}

/** Goes to the present view with some entries of its query changed. */
export function changeQuery(changes, options = { replace: true }) {
  const { segments, query } = route.peek();
  const present = Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)]));
  navigate(addressOf(segments, { ...present, ...changes }), options);
}

/** A part of an address; what is no escape stands for itself, as in a mistyped "100%". */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// In which order the trials are shown; it is in the address.

/** The orders that a head of the table asks for, by the key that it is named by. */
const VALUES = { number: ({ number }) => number, value: ({ value }) => value };

/** `{key, isFalling}` of an address's query; by number without one, or for one that is not known. */
export function orderOf(query) {
  const asked = query.get("sort") ?? "";
  const key = asked.replace(/^-/, "");
  return Object.hasOwn(VALUES, key) ? { key, isFalling: asked.startsWith("-") } : { key: "number", isFalling: false };
}

/** The trials in an order; those without a value are last in either. */
export function ordered(trials, { key, isFalling }) {
  const valueOf = VALUES[key];
  const isKnown = (trial) => Number.isFinite(valueOf(trial));
  const known = trials.filter(isKnown).sort((one, other) => (isFalling ? valueOf(other) - valueOf(one) : valueOf(one) - valueOf(other)));
  return [...known, ...trials.filter((trial) => !isKnown(trial))];
}

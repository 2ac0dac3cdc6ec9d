// What the time of a run was spent on, from one moment to the next.

const MOST_PARTS = 120;

/**
 * By what time was spent on, its share of the time between steps, from the seconds that had been spent
 * until each step. Of many steps those that are far enough apart, for a short while says little.
 * @param {Record<string, [number, number][]>} spent
 * @returns {Record<string, [number, number][]>}
 */
export function timeShares(spent) {
  const names = Object.keys(spent);
  const rows = rowsOf(names.map((name) => new Map(spent[name])));
  const shares = Object.fromEntries(names.map((name) => [name, []]));
  for (const [before, row] of pairsOf(rows)) {
    const seconds = row.values.map((value, index) => value - before.values[index]);
    const total = seconds.reduce((sum, each) => sum + each, 0);
    // Of steps that are trained again, what follows them was measured before.
    if (total <= 0 || seconds.some((each) => each < 0)) continue;
    names.forEach((name, index) => shares[name].push([row.step, seconds[index] / total]));
  }
  return shares;
}

/** The steps at which every part is known. */
function rowsOf(columns) {
  const [first, ...others] = columns;
  return [...(first?.keys() ?? [])]
    .filter((step) => others.every((column) => column.has(step)))
    .map((step) => ({ step, values: columns.map((column) => column.get(step)) }));
}

/** Rows with the one before each, at least so far apart that there are not too many. */
function pairsOf(rows) {
  if (rows.length < 2) return [];
  const distance = (rows.at(-1).step - rows[0].step) / MOST_PARTS;
  const pairs = [];
  let before = rows[0];
  for (const row of rows.slice(1)) {
    if (row.step - before.step < distance) continue;
    pairs.push([before, row]);
    before = row;
  }
  return pairs;
}

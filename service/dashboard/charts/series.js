// Series of a chart: [x, y] pairs, where a y that is null is a value that was not finite.

/**
 * @typedef {object} Series
 * @property {string} id Distinguishes it in its chart.
 * @property {string} label What it is called in the legend.
 * @property {[number, number | null][]} points In order of x.
 * @property {(value: number) => string} format A value as a text.
 */

/**
 * Columns for uPlot: every x, then the values of each series. A series that has no point at an x is
 * undefined there, which uPlot's lines pass; null, a value that was not finite, breaks its line.
 * @param {[number, number | null][][]} series
 * @returns {[number[], ...(number | null | undefined)[][]]}
 */
export function aligned(series) {
  const xs = [...new Set(series.flatMap((points) => points.map(([x]) => x)))].sort((one, other) => one - other);
  const columns = series.map((points) => {
    const values = new Map(points);
    return xs.map((x) => values.get(x));
  });
  return [xs, ...columns];
}

/** The x of the values that were not finite, with the last finite value before each. */
export function breaks(points) {
  const found = [];
  let last = null;
  for (const [x, y] of points) {
    if (y === null) found.push([x, last]);
    else last = y;
  }
  return found;
}

/**
 * The series as comma-separated values, one row an x.
 * @param {string} xName
 * @param {Series[]} series
 */
export function csvOf(xName, series) {
  const [xs, ...columns] = aligned(series.map(({ points }) => points));
  const head = [xName, ...series.map(({ label }) => label)].map(cellOf).join(",");
  const rows = xs.map((x, row) => [x, ...columns.map((column) => column[row] ?? "")].join(","));
  return [head, ...rows, ""].join("\n");
}

/** A text as a cell: a spreadsheet takes none for a formula, as in the files of the server. */
function cellOf(text) {
  const guarded = /^['=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

// Where the time of a job went, in words.

const SUFFIX = "_seconds";
const ORDER = ["step", "data_wait", "validation", "save", "other"];
const TITLES = new Map([
  ["data_wait", "waiting for data"],
  ["step", "training"],
  ["validation", "validating"],
  ["save", "saving"],
]);

/**
 * The parts that took any time, those that this page knows first: `line` is the number of the colour.
 * @param {Record<string, number>} spent Seconds by name.
 */
export function partsOf(spent) {
  const named = Object.entries(spent).map(([name, seconds]) => ({ name: name.replace(SUFFIX, ""), seconds }));
  const total = named.reduce((sum, { seconds }) => sum + seconds, 0);
  const lineOf = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length - 1) + 1;
  return named
    .filter(({ seconds }) => seconds > 0)
    .map(({ name, seconds }) => ({ name, seconds, share: seconds / total, line: lineOf(name) }))
    .sort((one, other) => one.line - other.line);
}

/** A part as its share of the whole: "training 40 %". */
export function shareText({ name, share }) {
  const title = TITLES.get(name) ?? name.replaceAll("_", " ");
  return `${title} ${share < 0.005 ? "below 1" : Math.round(share * 100)} %`;
}

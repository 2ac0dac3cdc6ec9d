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
 * The parts that took any time, those that this page knows first: `key` is the name that the server
 * has for it, `line` is the number of the colour.
 * @param {Record<string, number>} spent Seconds by name.
 */
export function partsOf(spent) {
  const named = Object.entries(spent).map(([key, seconds]) => ({ key, name: key.replace(SUFFIX, ""), seconds }));
  const total = named.reduce((sum, { seconds }) => sum + seconds, 0);
  const lineOf = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length - 1) + 1;
  return named
    .filter(({ seconds }) => seconds > 0)
    .map(({ key, name, seconds }) => ({ key, name, seconds, share: seconds / total, line: lineOf(name) }))
    .sort((one, other) => one.line - other.line);
}

/** What a part is called. */
export const titleOfPart = (name) => TITLES.get(name) ?? name.replaceAll("_", " ");

/** A part as its share of the whole: "training 40 %". */
export function shareText({ name, share }) {
  return `${titleOfPart(name)} ${share < 0.005 ? "below 1" : Math.round(share * 100)} %`;
}

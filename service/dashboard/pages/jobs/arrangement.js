// The rows of a view that the page itself sorts and groups, since the server cannot.

/**
 * @typedef {import("../../api/types").Job} Job
 * @typedef {{group: string | null, jobs: Job[], isFolded: boolean}} GroupItem
 * @typedef {{job: Job}} JobItem
 */

/**
 * Jobs in the order of a value, and in groups if `groupOf` is given; a job without a value is last.
 * @param {Job[]} jobs
 * @param {object} how
 * @param {((job: Job) => any) | null} how.valueOf Null: the order stays.
 * @param {boolean} how.isDescending
 * @param {((job: Job) => string | undefined) | null} how.groupOf
 * @param {Set<string | null>} how.folded The groups of which only the head is shown.
 * @returns {(GroupItem | JobItem)[]}
 */
export function arranged(jobs, { valueOf, isDescending, groupOf, folded }) {
  const sorted = valueOf ? sortedBy(jobs, valueOf, isDescending) : jobs;
  if (!groupOf) return sorted.map((job) => ({ job }));
  const groups = new Map();
  for (const job of sorted) {
    const group = groupOf(job) ?? null;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(job);
  }
  const names = [...groups.keys()].sort(compareGroups);
  return names.flatMap((group) => {
    const isFolded = folded.has(group);
    const head = { group, jobs: groups.get(group), isFolded };
    return [head, ...(isFolded ? [] : groups.get(group).map((job) => ({ job })))];
  });
}

function sortedBy(jobs, valueOf, isDescending) {
  const valued = jobs.map((job) => ({ job, value: valueOf(job) }));
  const isThere = ({ value }) => value !== null && value !== undefined && !Number.isNaN(value);
  const sign = isDescending ? -1 : 1;
  const there = valued.filter(isThere).sort((one, other) => sign * compare(one.value, other.value));
  return [...there, ...valued.filter((each) => !isThere(each))].map(({ job }) => job);
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}

const compareGroups = (one, other) => Number(one === null) - Number(other === null) || compare(one, other);

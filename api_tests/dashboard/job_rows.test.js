// The rows of the list of jobs: read from both ends, and standing still while jobs come and go.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const { JobRows } = await import("../../service/dashboard/pages/jobs/job_rows.js");

let jobs;
let asked;

const job = (number) => ({ id: `job_${String(number).padStart(6, "0")}`, state: "running", version: 1 });

/** Answers as `GET /jobs` does, the newest first or the oldest. */
globalThis.fetch = async (path) => {
  const query = new URLSearchParams(path.split("?")[1]);
  asked.push(query);
  const ordered = [...jobs].sort((one, other) => other.id.localeCompare(one.id));
  if (query.get("order_by") === "created_at") ordered.reverse();
  const after = query.get("after");
  const isPast = (each) => (query.get("order_by") === "created_at" ? each.id > after : each.id < after);
  const rest = after ? ordered.filter(isPast) : ordered;
  const data = rest.slice(0, Number(query.get("limit")));
  const next = rest.length > data.length ? data.at(-1).id : null;
  const body = { data, next, has_more: next !== null, ...(!after && { total: jobs.length, counts: { running: jobs.length } }) };
  return new Response(JSON.stringify(body));
};

const TIME = { filters: new URLSearchParams(), order: "-created_at", fields: ["id", "state", "version"] };
const ids = (rows) => rows.rows.map((each) => each?.id);

async function read(rows, range) {
  while (rows.lacks(range)) await rows.fill(range);
}

beforeEach(() => {
  jobs = Array.from({ length: 10_000 }, (_, index) => job(index));
  asked = [];
});

test("the end of 10,000 jobs is one request away, and their middle few", async () => {
  const rows = new JobRows(TIME);
  await rows.start();
  assert.equal(rows.size, 10_000);
  await read(rows, { from: 9_960, to: 10_000 });
  assert.equal(asked.length, 2);
  assert.equal(rows.rows[9_999].id, job(0).id);
  await read(rows, { from: 5_000, to: 5_040 });
  assert.equal(rows.rows[5_000].id, job(4_999).id);
  assert.ok(asked.length <= 8, asked.length);
});

test("all rows are read in their places, whichever end they come from", async () => {
  const rows = new JobRows(TIME);
  await rows.start();
  await read(rows, { from: 9_000, to: 10_000 });
  await read(rows, { from: 0, to: 10_000 });
  assert.deepEqual(ids(rows), [...jobs].reverse().map(({ id }) => id));
});

test("new jobs are counted and move no row until the head of the list is in sight", async () => {
  const rows = new JobRows(TIME);
  await rows.start();
  await read(rows, { from: 100, to: 140 });
  jobs.push(job(10_000), job(10_001), job(10_002));
  for (let poll = 0; poll < 4; poll += 1) await rows.poll({ from: 100, to: 140 }, false);
  assert.equal(rows.newer, 3);
  assert.equal(rows.rows[100].id, job(9_899).id);
  assert.equal(rows.size, 10_000);
  await rows.poll({ from: 0, to: 40 }, true);
  assert.equal(rows.newer, 0);
  assert.equal(rows.rows[0].id, job(10_002).id);
  assert.equal(rows.size, 10_003);
});

test("a job that has left the list keeps its row, and is told", async () => {
  const rows = new JobRows(TIME);
  await rows.start();
  await read(rows, { from: 150, to: 250 });
  const left = rows.rows[160].id;
  jobs = jobs.filter(({ id }) => id !== left);
  await rows.poll({ from: 150, to: 190 }, false);
  assert.equal(rows.rows[160].id, left);
  assert.deepEqual([...rows.gone], [left]);
});

test("what is in sight alone is polled, and a change is in its row", async () => {
  const rows = new JobRows(TIME);
  await rows.start();
  await read(rows, { from: 0, to: 5_000 });
  asked = [];
  const place = 2_345;
  jobs.find(({ id }) => id === rows.rows[place].id).state = "failed";
  await rows.poll({ from: 2_340, to: 2_380 }, false);
  assert.equal(rows.rows[place].state, "failed");
  assert.equal(asked.length, 1);
  assert.equal(asked[0].get("limit"), "100");
});

test("jobs that were deleted meanwhile have all be read again", async () => {
  const rows = new JobRows(TIME);
  await rows.start();
  await read(rows, { from: 9_950, to: 10_000 });
  jobs = jobs.filter((_, index) => index < 4_000 || index >= 4_010);
  await read(rows, { from: 0, to: 9_990 });
  assert.equal(rows.size, 9_990);
  assert.deepEqual(ids(rows), [...jobs].reverse().map(({ id }) => id));
});

test("an action's result changes its row, and no other", async () => {
  const rows = new JobRows(TIME);
  await rows.start();
  const { id } = rows.rows[3];
  rows.replace([{ id, state: "cancelling", version: 2 }, { id: "job_of_another_list", state: "queued", version: 1 }]);
  assert.equal(rows.rows[3].state, "cancelling");
  assert.equal(rows.rows[4].state, "running");
});

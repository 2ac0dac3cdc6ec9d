// What the list of jobs asks for, how it sorts and groups, what it says of many.

import assert from "node:assert/strict";
import { test } from "node:test";

const DASHBOARD = "../../service/dashboard";
const { bulkFilter, exportQuery, filtersOf, orderOf, sortBy } = await import(`${DASHBOARD}/pages/jobs/view.js`);
const { arranged } = await import(`${DASHBOARD}/pages/jobs/arrangement.js`);
const { labelFrom, priorityFrom, refusalsOf } = await import(`${DASHBOARD}/pages/jobs/bulk_actions.js`);
const { RequestBudget } = await import(`${DASHBOARD}/api/budget.js`);
const { pathOf } = await import(`${DASHBOARD}/parts/sparkline.js`);

const view = (text) => new URLSearchParams(text);

test("a view asks for trainings, evals and searches until another kind is chosen", () => {
  assert.deepEqual(filtersOf(view("")).getAll("kind"), ["train", "eval", "search"]);
  assert.deepEqual(filtersOf(view("kind=import")).getAll("kind"), ["import"]);
  assert.deepEqual(filtersOf(view("kind=all")).getAll("kind"), []);
  assert.equal(filtersOf(view("parts=true")).get("parts"), "true");
});

test("what the page has for itself is not asked of the server", () => {
  const filters = filtersOf(view("q=digits&sort=-duration&columns=id&group=team&param.seed=1&label=a:b&label=c:d&kind=all&state="));
  assert.equal(String(filters), "q=digits&param.seed=1&label=a%3Ab&label=c%3Ad");
});

test("a file of all jobs of a view has its filters and its order, if the server knows that", () => {
  assert.equal(String(exportQuery(view("q=digits&sort=-metrics.loss&columns=id"))), "q=digits&kind=train&kind=eval&kind=search&order_by=-metrics.loss");
  assert.equal(String(exportQuery(view("kind=all&sort=name"))), "");
});

test("a filter for an action has lists where several values may be", () => {
  assert.deepEqual(bulkFilter(view("q=digits&state=queued&kind=train&param.seed=1")), {
    q: "digits",
    state: ["queued"],
    kind: ["train"],
    "param.seed": "1",
  });
});

test("the newest jobs come first unless the address says otherwise", () => {
  assert.deepEqual(orderOf(view("")), { name: "created_at", isDescending: true, isServers: true, isByTime: true });
  assert.equal(orderOf(view("sort=metrics.loss")).isDescending, false);
  assert.equal(orderOf(view("sort=recipe")).isServers, false);
  assert.equal(sortBy("created_at", true), null);
  assert.equal(sortBy("metrics.loss", true), "-metrics.loss");
});

const JOBS = [
  { id: "a", value: 3, labels: { team: "vision" } },
  { id: "b", value: undefined, labels: {} },
  { id: "c", value: 20, labels: { team: "audio" } },
];
const HOW = { valueOf: null, isDescending: false, groupOf: null, folded: new Set() };
const shown = (items) => items.map((item) => item.job?.id ?? `${item.group}:${item.jobs.length}`);

test("jobs are sorted by a value, and those without it are last in both directions", () => {
  const valueOf = ({ value }) => value;
  assert.deepEqual(shown(arranged(JOBS, { ...HOW, valueOf })), ["a", "c", "b"]);
  assert.deepEqual(shown(arranged(JOBS, { ...HOW, valueOf, isDescending: true })), ["c", "a", "b"]);
});

test("groups have a head each, and a folded one nothing but its head", () => {
  const groupOf = ({ labels }) => labels.team;
  assert.deepEqual(shown(arranged(JOBS, { ...HOW, groupOf })), ["audio:1", "c", "vision:1", "a", "null:1", "b"]);
  const folded = new Set(["audio", null]);
  assert.deepEqual(shown(arranged(JOBS, { ...HOW, groupOf, folded })), ["audio:1", "vision:1", "a", "null:1"]);
});

test("refusals with the same reason are told once, the most frequent first", () => {
  const refused = (id, detail) => ({ id, ok: false, problem: { detail } });
  const results = [refused("j1", "j1 is paused"), { id: "j2", ok: true }, refused("j3", "j3 has ended"), refused("j4", "j4 has ended")];
  assert.deepEqual(refusalsOf(results), [
    { reason: "the job has ended", ids: ["j3", "j4"] },
    { reason: "the job is paused", ids: ["j1"] },
  ]);
});

test("what a user types for a label or a priority is taken, or refused with what to change", () => {
  assert.deepEqual(labelFrom(" team: vision x "), { team: "vision x" });
  assert.deepEqual(labelFrom("team:"), { team: null });
  assert.throws(() => labelFrom("vision"), /key: value/);
  assert.equal(priorityFrom(" -5 "), -5);
  for (const text of ["", "1.5", "1001", "high"]) assert.throws(() => priorityFrom(text), /from -1000 to 1000/);
});

test("a budget gives what it has at once, and then one request at a time", () => {
  let now = 0;
  const budget = new RequestBudget(2, 1_000, () => now);
  budget.take();
  budget.take();
  assert.equal(budget.waitMs, 1_000);
  now = 1_000;
  assert.equal(budget.waitMs, 0);
  for (let more = 0; more < 20; more += 1) budget.take();
  assert.equal(budget.waitMs, 3_000);
});

test("a curve breaks where a value is no number, and needs two", () => {
  assert.equal(pathOf([[0, 1]]), "");
  assert.equal(pathOf([[0, 1], [1, null], [2, 3]]).match(/M/g).length, 2);
  assert.equal(pathOf([[0, 1], [1, 1]]), "M2.0 13.0L94.0 13.0");
});

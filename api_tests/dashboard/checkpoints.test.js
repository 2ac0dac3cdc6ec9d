// What the page of the checkpoints asks for, and what a lineage is drawn of.

import assert from "node:assert/strict";
import { test } from "node:test";

const { bestPath, exportQuery, isNarrowed, latestPath, listPath } = await import("../../service/dashboard/pages/checkpoints/query.js");
const { branchesOf, groupsOf, originOf } = await import("../../service/dashboard/pages/checkpoints/lineage_groups.js");

const asked = (path) => Object.fromEntries(new URLSearchParams(path.split("?")[1]));
const query = (text) => new URLSearchParams(text);

test("a list is of those that are kept, without manifests, the newest first", () => {
  assert.deepEqual(asked(listPath(query(""))), { retained: "true", order_by: "-created_at", limit: "50", manifest: "false" });
  assert.equal(asked(listPath(query(""), { isRemoved: true })).retained, "false");
});

test("a file of the checkpoints of a view has its filters and all rows", () => {
  assert.equal(String(exportQuery(query("job=job_1&order_by=-step"))), "job=job_1&retained=true&order_by=-step");
});

test("a state that is asked for is not narrowed to those that are kept", () => {
  const path = listPath(query("state=purged&pinned=false&job=job_1&order_by=-step&unknown=1"));
  assert.deepEqual(asked(path), { job: "job_1", pinned: "false", state: "purged", order_by: "-step", limit: "50", manifest: "false" });
});

test("the latest and the best are of the same job, recipe and variant, by the metric of the order", () => {
  const view = query("recipe=detnas&tag=paper&order_by=-metrics.loss");
  assert.equal(latestPath(view), "checkpoints/latest?recipe=detnas");
  assert.equal(bestPath(view), "checkpoints/best?recipe=detnas&metric=loss");
  assert.equal(bestPath(query("order_by=metrics.constructor")), "checkpoints/best?metric=top1_error");
});

test("an order narrows nothing, a filter does", () => {
  assert.equal(isNarrowed(query("order_by=step&removed=1")), false);
  assert.equal(isNarrowed(query("pinned=true")), true);
});

const entry = (job_id, step) => ({ id: `${job_id}-${step}`, job_id, step, recipe: "oneshot", variant: "searched" });

test("checkpoints of one job in a row are one group, from the oldest", () => {
  const groups = groupsOf([entry("b", 5), entry("b", 4), entry("a", 9), entry("b", 1)]);
  assert.deepEqual(
    groups.map(({ job_id, entries }) => [job_id, entries.map(({ step }) => step)]),
    [["b", [4, 5]], ["a", [9]], ["b", [1]]],
  );
});

test("a job that used a checkpoint and saved what came of it is one branch", () => {
  const branches = branchesOf([entry("own", 3), entry("tuned", 1)], [{ job_id: "tuned" }, { job_id: "eval" }]);
  assert.deepEqual(
    branches.map(({ job_id, use, entries }) => [job_id, Boolean(use), entries.length]),
    [["tuned", true, 1], ["eval", true, 0], ["own", false, 1]],
  );
});

test("the origin is what the oldest one came from", () => {
  const lineage = { checkpoint: entry("a", 2), ancestors: [], complete: true, spec: { kind: "train" } };
  assert.equal(originOf(lineage, null), "Began with new weights");
  assert.equal(originOf({ ...lineage, complete: false }, null), "Older ones are not in the index any more");
  assert.equal(originOf({ ...lineage, spec: { kind: "import", request: { file: "a.pth" } } }, null), "Imported from a.pth");
  assert.equal(originOf({ ...lineage, spec: { kind: "train", init_from: { file: "b.pth" } } }, null), "Began with the weights of b.pth");
  assert.equal(originOf({ ...lineage, ancestors: [entry("c", 1)] }, null), "New weights, or a file");
  assert.equal(originOf({ ...lineage, spec: null }, null), "Its job has been deleted");
  assert.equal(originOf({ ...lineage, spec: { kind: "search" } }, null), "A path of a supernet, with the weights that it has there");
  const found = { parent_job_id: "job_s", spec: { search: "job_s" } };
  assert.equal(originOf(lineage, found), "Began with new weights, as a path that a search has found");
  assert.equal(originOf(lineage, { ...found, parent_job_id: "job_r" }), "Began with new weights, as the retry of another job");
});

// What the page of a search computes: scales, points, orders of the table, paths in words.

import assert from "node:assert/strict";
import { test } from "node:test";

// The address that the modules of the page read when they are loaded.
globalThis.location = { hash: "" };
globalThis.window = { addEventListener: () => {} };

const { scaleOf } = await import("../../service/dashboard/charts/scale.js");
const { ordered, orderOf, pageOf } = await import("../../service/dashboard/pages/job/candidate_order.js");
const { dotsOf, lateness, measuredOf, nearestOf, placesOf, scalesOf } = await import("../../service/dashboard/pages/job/search_points.js");
const { draftOfAction, draftOfPath, weightsOfPath } = await import("../../service/dashboard/pages/submit/action_draft.js");
const { fitnessText, generationText, millions, originText, valueOf } = await import("../../service/dashboard/text/candidates.js");
const { byStages, choicesOf, digitsOf, marksOf, placesOf: placesOfSpace, spaceOf, spacesOf, stagesOf } = await import("../../service/dashboard/text/paths.js");

const candidate = (order, values = {}) => ({
  blocks: String(order),
  order,
  generation: 1,
  origin: "random",
  top1_error: 0.5,
  top5_error: 0.1,
  loss: 1,
  multiply_adds: 300e6 + order,
  ...values,
});
const BOX = { left: 60, right: 560, top: 20, bottom: 280 };
const ordersOf = (candidates) => candidates.map(({ order }) => order);

test("ticks are round values between the ends, and equal ends are one tick in the middle", () => {
  const scale = scaleOf([0.263, 0.412], [100, 0], 5);
  assert.deepEqual(scale.ticks, [0.3, 0.35, 0.4]);
  assert.deepEqual([scale.at(0.263), scale.at(0.412)], [100, 0]);
  assert.deepEqual([scale.at(0), scale.at(1)], [100, 0]);
  assert.deepEqual(scaleOf([7, 7], [0, 10], 5).ticks, [7]);
  assert.equal(scaleOf([7, 7], [0, 10], 5).at(7), 5);
  assert.deepEqual(scaleOf([270e6, 331e6], [0, 900], 4).ticks, [280e6, 300e6, 320e6]);
});

test("the limit and the best are in sight, and a wild value flattens no others", () => {
  const many = Array.from({ length: 40 }, (_, order) => candidate(order, { top1_error: 0.3 + order / 1000 }));
  const candidates = [...many, candidate(40, { top1_error: 0.05 }), candidate(41, { top1_error: 0.99 })];
  const scales = scalesOf(candidates, { fitness: "error", limit: 330e6, box: BOX });
  assert.ok(scales.x.at(330e6) < BOX.right);
  assert.equal(scales.x.isBeyond(330e6), false);
  assert.equal(scales.y.isBeyond(0.05), false);
  assert.equal(scales.y.isBeyond(0.99), true);
  assert.equal(scales.y.at(0.99), BOX.top);
  const near = scalesOf(candidates, { fitness: "error", limit: null, box: BOX });
  assert.equal(near.x.isBeyond(330e6), true);
});

test("a candidate without a finite loss has no place among the points", () => {
  const candidates = [candidate(0), candidate(1, { loss: null })];
  assert.deepEqual(ordersOf(measuredOf(candidates, "loss")), [0]);
  assert.deepEqual(ordersOf(measuredOf(candidates, "error")), [0, 1]);
  assert.equal(fitnessText(candidates[1], "loss"), "not finite");
  assert.equal(fitnessText(candidates[1], "error"), "50.00 %");
  assert.deepEqual([valueOf(candidates[0], "loss"), valueOf(candidates[0], "error")], [1, 0.5]);
});

test("the dots of a generation are one path, and the latest generations are above", () => {
  const candidates = [candidate(0, { generation: 2 }), candidate(1), candidate(2, { generation: 2 })];
  const places = placesOf(candidates, scalesOf(candidates, { fitness: "error", limit: 330e6, box: BOX }), "error");
  const dots = dotsOf(places);
  assert.deepEqual(dots.map(({ generation }) => generation), [1, 2]);
  assert.deepEqual(dots.map(({ path }) => path.match(/M/g).length), [1, 2]);
  assert.deepEqual([1, 6, 11, 12].map((each) => lateness(each, 11)), [0, 0.5, 1, 1]);
  assert.deepEqual([lateness(0, 11), lateness(0, 0)], [0, 1]);
});

test("the pointer means the candidate that is nearest, and none that is far away", () => {
  const places = [{ candidate: candidate(0), x: 10, y: 10 }, { candidate: candidate(1), x: 20, y: 10 }];
  assert.equal(nearestOf(places, 16, 12).order, 1);
  assert.equal(nearestOf(places, 14, 12).order, 0);
  assert.equal(nearestOf(places, 80, 12), null);
});

const ROWS = [
  candidate(0, { top1_error: 0.5, top5_error: 0.2, loss: 3, multiply_adds: 5 }),
  candidate(1, { top1_error: 0.5, top5_error: 0.1, loss: null, multiply_adds: 7 }),
  candidate(2, { top1_error: 0.25, top5_error: 0.2, loss: 2, multiply_adds: 6 }),
  candidate(3, { top1_error: 0.5, top5_error: 0.1, loss: 2, multiply_adds: 6 }),
];

test("candidates of one top-1 error are ordered by top-5, and equal ones as the search asked", () => {
  const by = (sort, fitness = "error") => ordersOf(ordered(ROWS, orderOf(new URLSearchParams({ sort })), fitness));
  assert.deepEqual(by("fitness"), [2, 1, 3, 0]);
  assert.deepEqual(by("-fitness"), [0, 1, 3, 2]);
  assert.deepEqual(by("order"), [0, 1, 2, 3]);
  assert.deepEqual(by("-order"), [3, 2, 1, 0]);
  assert.deepEqual(by("multiply_adds"), [0, 2, 3, 1]);
  assert.deepEqual(by("constructor"), by("fitness"));
});

test("a loss that is not finite is last in either direction", () => {
  const by = (sort) => ordersOf(ordered(ROWS, orderOf(new URLSearchParams({ sort })), "loss"));
  assert.deepEqual(by("fitness"), [2, 3, 0, 1]);
  assert.deepEqual(by("-fitness"), [0, 2, 3, 1]);
});

test("a page beyond the last is the last, and one that is none is the first", () => {
  const page = (text, total) => pageOf(new URLSearchParams(text), total);
  assert.deepEqual(page("page=3", 51), { page: 3, pages: 3 });
  assert.deepEqual(page("page=9", 50), { page: 2, pages: 2 });
  for (const text of ["", "page=0", "page=-1", "page=x", "page=1.5"]) assert.equal(page(text, 50).page, 1);
  assert.deepEqual(page("page=2", 0), { page: 1, pages: 1 });
});

const SPACE = { stages: [[64, 4], [160, 4], [320, 8], [640, 4]] };
const LARGE = { name: "1.3G", stages: [[96, 8], [240, 8], [480, 16], [960, 8]] };
const TWIN = { name: "300M.path", only_by_name: true, stages: SPACE.stages };

test("a path is shown by its stages, and one of unknown places in one part", () => {
  const stages = stagesOf(SPACE);
  assert.deepEqual(stages, [4, 4, 8, 4]);
  assert.equal(marksOf("01230123012301230129", stages), "357x 357x 357x357x 3579");
  assert.deepEqual(byStages("012", []), [{ first: 1, values: ["0", "1", "2"] }]);
  assert.deepEqual(byStages("01234", [4]).map(({ first, values }) => [first, values.length]), [[1, 4], [5, 1]]);
  assert.deepEqual(byStages("", stages), []);
  assert.deepEqual(choicesOf(5).map(({ title }) => title), ["kernel 3", "kernel 5", "kernel 7", "xception", "choice 4"]);
});

test("digits are of the space that is named, or that has as many places", () => {
  const spaces = spacesOf({ search_space: null, search_spaces: [TWIN, SPACE, LARGE] });
  assert.equal(spaceOf(spaces, { blocks: "0".repeat(40) }), LARGE);
  assert.equal(spaceOf(spaces, { blocks: "0".repeat(20) }), SPACE);
  assert.equal(spaceOf(spaces, { blocks: "0".repeat(20), space: "300M.path" }), TWIN);
  assert.equal(spaceOf(spaces, { blocks: "0" }), SPACE);
  assert.equal(placesOfSpace(LARGE), 40);
  assert.deepEqual([spacesOf(undefined), spaceOf([], { blocks: "0" }), placesOfSpace(undefined)], [[], undefined, 0]);
});

test("a variant that is an architecture is digits, and a name is none", () => {
  assert.deepEqual(digitsOf("b210"), { blocks: "210" });
  assert.deepEqual(digitsOf("b210-c444"), { blocks: "210", channels: "444" });
  assert.deepEqual(digitsOf("300M.path-b210"), { blocks: "210", space: "300M.path" });
  assert.deepEqual(digitsOf({ blocks: "2" }), { blocks: "2" });
  for (const variant of ["searched", "", undefined, null, "b", { search: "job_1" }]) assert.equal(digitsOf(variant), null);
});

test("candidates in words", () => {
  assert.deepEqual([329_912_320, 6_357_440, 1_234_567_890, null].map((each) => millions(each)), ["329.9 M", "6.357 M", "1,235 M", "—"]);
  assert.deepEqual([1, 0].map((generation) => generationText({ generation })), ["generation 1", "given"]);
  assert.deepEqual(["random", "crossover", "grafting"].map((origin) => originText({ origin })), ["drawn", "crossover", "grafting"]);
});

const SEARCH = {
  id: "job_7",
  latest_checkpoint: "ckpt_9",
  spec: { kind: "search", data: { dataset: "digits", train_dir: null, packed: null }, labels: { team: "a" }, params: {}, training: { image_size: 32, seed: 3 } },
};
const SUMMARY = { recipe: "oneshot", best: candidate(0, { blocks: "2101" }) };

test("the training of a path names the search and has its data, and new weights", () => {
  assert.deepEqual(draftOfPath("2101", SEARCH, SUMMARY), {
    kind: "train",
    recipe: "oneshot",
    search: "job_7",
    variant: { blocks: "2101" },
    labels: { team: "a" },
    data: { dataset: "digits" },
    params: { image_size: 32 },
  });
  const unlabelled = { ...SEARCH, spec: { ...SEARCH.spec, labels: {}, training: {} } };
  const draft = draftOfPath("2101", unlabelled, { ...SUMMARY, space: "300M.path" });
  assert.deepEqual([draft.variant, draft.params, "labels" in draft], [{ blocks: "2101", space: "300M.path" }, {}, false]);
});

test("only the best path has weights to start from, once the search has left them", () => {
  assert.deepEqual(weightsOfPath("2101", SEARCH, SUMMARY).map(({ id }) => id), ["ckpt_9"]);
  assert.deepEqual(weightsOfPath("0000", SEARCH, SUMMARY), []);
  assert.deepEqual(weightsOfPath("2101", { ...SEARCH, latest_checkpoint: null }, SUMMARY), []);
});

test("what is made of an ended search has the network that it left, and its data", () => {
  const ended = { ...SEARCH, kind: "search", recipe: "supernet", variant: "oneshot", result: { recipe: "oneshot", variant: "b2101" } };
  const body = { kind: "eval", checkpoint: { id: "ckpt_9" } };
  const draft = draftOfAction({ name: "evaluate", path: "/jobs", method: "POST", body }, ended, ended);
  assert.deepEqual(draft, { ...body, recipe: "oneshot", variant: "b2101", data: { dataset: "digits" }, params: {} });
  const unknown = draftOfAction({ name: "evaluate", path: "/jobs", method: "POST", body }, { ...ended, result: null }, ended);
  assert.equal(unknown.recipe, undefined);
});

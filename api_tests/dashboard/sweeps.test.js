// What the pages of sweeps compute: axes, the order of trials, texts.

import assert from "node:assert/strict";
import { test } from "node:test";

// The address that the modules of the page read when they are loaded.
globalThis.location = { hash: "" };
globalThis.window = { addEventListener: () => {} };

const { axesOf } = await import("../../service/dashboard/pages/sweeps/trial_axes.js");
const { ordered, orderOf } = await import("../../service/dashboard/pages/sweeps/trial_order.js");
const { doneOf, doneText, fractionOf, methodOf, objectiveText, parametersText } = await import("../../service/dashboard/text/sweeps.js");

const sweep = (parameters, more = {}) => ({
  trial_count: 4,
  trials: { live: 1, succeeded: 2, failed: 1 },
  spec: { parameters, method: { kind: "asha" }, objective: { metric: "top1_error", goal: "minimize" } },
  ...more,
});
const trial = (number, parameters, value = null) => ({ number, parameters, value });
const partsOf = (axis, trials) => trials.map((each) => axis.partOf(each));

test("a range with log places values by their ratios, and another one by their distances", () => {
  const trials = [0.001, 0.01, 0.1].map((rate, index) => trial(index + 1, { rate, share: index / 2 }));
  const [rate, share] = axesOf(sweep({ rate: { low: 0.001, high: 0.1, log: true }, share: { low: 0, high: 1, log: false } }), trials);
  assert.deepEqual(partsOf(rate, trials).map((part) => Number(part.toFixed(6))), [0, 0.5, 1]);
  assert.deepEqual(partsOf(share, trials), [0, 0.5, 1]);
  assert.deepEqual(rate.ticks.map(({ text }) => text), ["0.001", "0.1"]);
});

test("values that are chosen from are at equal distances, numbers in their order and each type its own", () => {
  const trials = [trial(1, { depth: 20, name: "1" }), trial(2, { depth: 8, name: 1 }), trial(3, { depth: 14, name: true })];
  const [depth, name] = axesOf(sweep({ depth: { values: [20, 8, 14] }, name: { values: ["1", 1, true] } }), trials);
  assert.deepEqual(partsOf(depth, trials), [1, 0, 0.5]);
  assert.deepEqual(partsOf(name, trials), [0, 0.5, 1]);
  assert.deepEqual(depth.ticks.map(({ text }) => text), ["8", "14", "20"]);
});

test("the last axis is that of the value, between the least and the greatest that was measured", () => {
  const trials = [trial(1, { a: 1 }, 0.5), trial(2, { a: 1 }), trial(3, { a: 1 }, 0.25)];
  const value = axesOf(sweep({ a: { values: [1] } }), trials).at(-1);
  assert.equal(value.title, "Top-1 error");
  assert.deepEqual(partsOf(value, trials), [1, null, 0]);
  assert.deepEqual(value.ticks.map(({ text }) => text), ["25.00 %", "50.00 %"]);
});

test("a parameter that a trial lacks has no place, and one that no domain names has an axis all the same", () => {
  const trials = [trial(1, { constructor: "a" }), trial(2, {})];
  const axes = axesOf(sweep(undefined), trials);
  assert.deepEqual(axes.map(({ title }) => title), ["constructor", "Top-1 error"]);
  assert.deepEqual(partsOf(axes[0], trials), [0.5, null]);
  assert.deepEqual(axesOf(sweep({ a: { values: [1] } }), []), []);
});

test("an axis of many choices names some of them", () => {
  const values = Array.from({ length: 100 }, (_, index) => index);
  const [axis] = axesOf(sweep({ a: { values } }), [trial(1, { a: 99 })]);
  assert.equal(axis.ticks.length, 10);
  assert.equal(axis.partOf(trial(1, { a: 99 })), 1);
});

test("trials without a value are last, whichever way the others are sorted", () => {
  const trials = [trial(1, {}, null), trial(2, {}, 0.5), trial(3, {}, 0.25)];
  const numbers = (query) => ordered(trials, orderOf(new URLSearchParams(query))).map(({ number }) => number);
  assert.deepEqual(numbers("sort=value"), [3, 2, 1]);
  assert.deepEqual(numbers("sort=-value"), [2, 3, 1]);
  assert.deepEqual(numbers("sort=-number"), [3, 2, 1]);
  assert.deepEqual(numbers("sort=toString"), [1, 2, 3]);
});

test("trials are done once they have ended, however they did", () => {
  const shown = sweep({});
  assert.deepEqual([doneOf(shown), doneText(shown), fractionOf(shown)], [3, "3 of 4 trials", 0.75]);
  assert.equal(fractionOf({ ...shown, trial_count: 0 }), 0);
});

test("a sweep that this version cannot read has no method and no objective", () => {
  assert.deepEqual([methodOf(sweep({})), objectiveText(sweep({}))], ["successive halving", "Top-1 error, lower is better"]);
  assert.deepEqual([methodOf({ spec: null }), objectiveText({ spec: null })], ["—", "—"]);
  assert.equal(methodOf({ spec: { method: { kind: "bayes" } } }), "bayes");
});

test("parameters are told with the digits that were meant", () => {
  assert.equal(parametersText({ rate: 0.1 + 0.2, augment: true, name: "a\u202eb", none: null }), "rate 0.3, augment true, name a\\u202eb, none null");
});

// What charts compute: columns, smooth lines, ranges, files.

import assert from "node:assert/strict";
import { test } from "node:test";

import { robustRange, valueRange } from "../../service/dashboard/charts/range.js";
import { aligned, breaks, csvOf } from "../../service/dashboard/charts/series.js";
import { smoothed } from "../../service/dashboard/charts/smoothing.js";

// Colours are the browser's.
globalThis.matchMedia = /** @type {any} */ (() => ({ matches: false, addEventListener: () => {} }));

const { tickText } = await import("../../service/dashboard/charts/plot.js");

test("series of other steps share their columns, and a value that is not finite stays a gap", () => {
  const loss = [[1, 4], [2, null], [3, 2]];
  const error = [[2, 0.5]];
  assert.deepEqual(aligned([loss, error]), [[1, 2, 3], [4, null, 2], [undefined, 0.5, undefined]]);
});

test("a break is where the values were not finite, with the last finite one", () => {
  assert.deepEqual(breaks([[1, null], [2, 3], [3, null], [4, null]]), [[1, null], [3, 3], [4, 3]]);
});

test("smoothing of equal values is those values from the first one on", () => {
  assert.deepEqual(smoothed([2, 2, null, 2, undefined], 0.5), [2, 2, null, 2, undefined]);
});

test("smoothing weighs what came before", () => {
  const [first, second] = smoothed([0, 3], 0.5);
  assert.equal(first, 0);
  // 0.5 of 3 of the 0.75 that both weigh.
  assert.equal(second, 2);
});

test("one outlier of twenty does not widen the range", () => {
  const losses = Array.from({ length: 19 }, (_, index) => 3 - index / 10);
  const [low, high] = valueRange([...losses, 340], { isLog: false, isClipped: true });
  assert.ok(low >= 0 && low < 1.2);
  assert.ok(high < 6);
  assert.ok(valueRange([...losses, 340], { isLog: false, isClipped: false })[1] > 340);
});

test("wild values among few do not widen the range", () => {
  const losses = [2.4, 1.2, 0.9, 0.6, 0.5, 0.4, 0.3, 0.3, 0.2, 0.2];
  const [low, high] = valueRange([1e5, 2500, 340, ...losses], { isLog: false, isClipped: true });
  assert.ok(low === 0 && high > 1.2 && high < 20);
});

test("values that fall, evenly or fast at the start, are shown whole", () => {
  const evenly = Array.from({ length: 100 }, (_, index) => 7 - index / 20);
  const fast = [0.9, 0.62, 0.43, 0.31, 0.24, 0.17, 0.13, 0.12, ...Array.from({ length: 17 }, () => 0.06)];
  for (const values of [evenly, fast]) assert.equal(robustRange(values), null);
});

test("ticks are short, whatever is measured, and those of a diverged loss have an exponent", () => {
  const plain = (value) => value.toPrecision(4);
  const percent = (value) => `${(value * 100).toFixed(2)} %`;
  assert.deepEqual([2.5, 3, 0.05, 100].map((tick) => tickText(tick, plain)), ["2.5", "3", "0.05", "100"]);
  assert.deepEqual([0.6, 0.125, 0].map((tick) => tickText(tick, percent)), ["60 %", "12.5 %", "0 %"]);
  assert.equal(tickText(2e18, plain), "2.0e+18");
  assert.equal(tickText(null, plain), "");
});

test("few or equal values are shown as they are", () => {
  assert.equal(robustRange([1, 2, 300]), null);
  const [low, high] = valueRange([5, 5, 5, 5, 5, 5], { isLog: false, isClipped: true });
  assert.ok(low < 5 && high > 5);
});

test("a logarithmic range leaves out what has no logarithm", () => {
  const [low, high] = valueRange([0, -1, 10, 1000], { isLog: true, isClipped: false });
  assert.ok(low > 1 && low < 10 && high > 1000);
  assert.deepEqual(valueRange([0, -1], { isLog: true, isClipped: true }), [0.1, 1]);
});

test("a hundred thousand values have a range", () => {
  const values = Array.from({ length: 200_000 }, (_, index) => index);
  assert.ok(valueRange(values, { isLog: false, isClipped: false })[1] > 199_999);
});

test("a file of values has a row for each x and quotes what needs it", () => {
  const series = [{ label: 'a,"b"', points: [[1, 2], [3, null]] }, { label: "c", points: [[1, 5]] }];
  assert.equal(csvOf("step", series), 'step,"a,""b""",c\n1,2,5\n3,,\n');
  const [formula] = [{ ...series[0], label: '=HYPERLINK("x")' }];
  assert.equal(csvOf("step", [formula]).split("\n")[0], `step,"'=HYPERLINK(""x"")"`);
});

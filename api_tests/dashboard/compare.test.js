// What a comparison computes: differences, axes, the Pareto front.

import assert from "node:assert/strict";
import { test } from "node:test";

import { differing, rowsOf } from "../../service/dashboard/pages/compare/differences.js";
import { axesOf } from "../../service/dashboard/pages/compare/parallel_coordinates.js";
import { paretoFront } from "../../service/dashboard/pages/compare/pareto.js";

const job = (id, params, metrics = {}, more = {}) => ({
  id,
  recipe: "oneshot",
  variant: "searched",
  kind: "train",
  state: "succeeded",
  labels: {},
  metrics,
  result: null,
  spec: { params, data: { dataset: "digits" } },
  ...more,
});

test("only what is not the same in all jobs differs, and what a job lacks differs from what another has", () => {
  const rows = differing(rowsOf([job("a", { batch_size: 32, seed: 0 }), job("b", { batch_size: 64, seed: 0, dropout: 0.1 })]));
  assert.deepEqual(rows.map(({ name, texts }) => [name, ...texts]), [
    ["batch_size", "32", "64"],
    ["dropout", "—", "0.1"],
  ]);
});

test("values that are lists or maps are compared by what they hold", () => {
  const [one, other] = [job("a", { widths: [1, 2] }), job("b", { widths: [1, 2] })];
  assert.deepEqual(differing(rowsOf([one, other])), []);
});

test("a parameter that is called as something JavaScript has itself is a parameter like any", () => {
  const rows = differing(rowsOf([job("a", { constructor: 1 }), job("b", {})]));
  assert.deepEqual(rows.map(({ name, texts }) => [name, ...texts]), [["constructor", "1", "—"]]);
});

test("the axes are the numbers that differ, and the error last", () => {
  const jobs = [
    job("a", { learning_rate: 0.5, seed: 1, precision: "fp32" }, { top1_error: 0.3, loss: 2 }),
    job("b", { learning_rate: 0.005, seed: 1, precision: "bf16" }, { top1_error: 0.2, loss: 1 }),
    job("c", { learning_rate: 0.05, seed: 1, precision: "bf16" }),
  ];
  const axes = axesOf(jobs);
  assert.deepEqual(axes.map(({ name }) => name), ["learning_rate", "top1_error"]);
  assert.equal(axes[0].isLog, true);
  assert.deepEqual(axes[1].values, [0.3, 0.2, null]);
});

test("without a result or a parameter that differs there are no axes", () => {
  assert.deepEqual(axesOf([job("a", { seed: 1 }), job("b", { seed: 2 })]), []);
  assert.deepEqual(axesOf([job("a", {}, { loss: 1 }), job("b", {}, { loss: 2 })]), []);
});

test("the front has the points that none beats in both", () => {
  const points = [
    { cost: 3, error: 0.3 },
    { cost: 1, error: 0.5 },
    { cost: 2, error: 0.6 },
    { cost: 2, error: 0.4 },
    { cost: 4, error: 0.3 },
  ];
  assert.deepEqual(paretoFront(points), [{ cost: 1, error: 0.5 }, { cost: 2, error: 0.4 }, { cost: 3, error: 0.3 }]);
});

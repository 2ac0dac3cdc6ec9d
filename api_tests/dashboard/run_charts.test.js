// The charts of a run: their x axes, their marks, where the run broke, where the time goes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { timeShares } from "../../service/dashboard/charts/time_shares.js";
import { axesOf, extentOf, placed } from "../../service/dashboard/charts/x_axis.js";
import { chartsOf } from "../../service/dashboard/pages/job/job_series.js";
import { brokenMark, runMarks, withBreak } from "../../service/dashboard/pages/job/run_marks.js";

const BEGIN = Date.parse("2026-11-27T08:00:00Z") / 1000;
const at = (seconds) => new Date((BEGIN + seconds) * 1000).toISOString();
const TIMES = [[0, BEGIN], [100, BEGIN + 50], [200, BEGIN + 250]];
const AXES = axesOf({ times: TIMES, stepsPerEpoch: 40 });
const JOB = {
  best_checkpoint: "ckpt_1",
  progress: { step: 210, total_steps: 240 },
  reason: null,
  spec: { params: { total_iters: 200 } },
};
const ATTEMPTS = [
  { number: 1, started_at: at(0), finished_at: at(50), reason: "paused" },
  { number: 2, started_at: at(150), finished_at: null, reason: null },
];
const CHECKPOINTS = [
  { id: "ckpt_1", step: 100, state: "published" },
  { id: "ckpt_2", step: 200, state: "published" },
  { id: "ckpt_0", step: 50, state: "purged" },
];

test("a step is placed by itself, by its epoch, or by the time since the run began", () => {
  assert.equal(AXES.step.ofStep(150), 150);
  assert.equal(AXES.epoch.ofStep(150), 3.75);
  assert.equal(AXES.time.ofStep(150), 150);
  assert.deepEqual([0, 100, 150, 999].map(AXES.time.ofStep), [0, 50, 150, 250]);
});

test("a moment is placed at the step that was trained then", () => {
  assert.equal(AXES.step.ofTime(BEGIN + 150), 150);
  assert.equal(AXES.epoch.ofTime(BEGIN + 50), 2.5);
  assert.equal(AXES.time.ofTime(BEGIN + 70), 70);
  assert.deepEqual([-1000, 1e6].map((seconds) => AXES.step.ofTime(BEGIN + seconds)), [0, 200]);
});

test("an axis that is not known of a run is not there, and moments have no step", () => {
  const axes = axesOf({});
  assert.deepEqual([axes.epoch, axes.time], [null, null]);
  assert.equal(axes.step.ofTime(BEGIN), null);
  assert.equal(axes.step.ofStep(7), 7);
});

test("steps that are trained again are in the order of the time", () => {
  const again = axesOf({ times: [[0, BEGIN], [10, BEGIN + 90], [20, BEGIN + 20]] });
  assert.deepEqual(placed([[10, 1], [20, 2]], again.time.ofStep), [[20, 2], [90, 1]]);
  assert.equal(again.step.ofTime(BEGIN + 20), 20);
});

test("ticks of the time are whole minutes, hours or days", () => {
  assert.deepEqual([0, 90, 3_600, 90_000].map(AXES.time.format), ["0 s", "1 min 30 s", "1 h", "1 d 1 h"]);
  assert.equal(AXES.epoch.format(2.5), "2.5");
});

for (const [name, places] of Object.entries({
  step: { pause: 100, attempt: 150, best: 100, checkpoint: 200, phase: 200 },
  epoch: { pause: 2.5, attempt: 3.75, best: 2.5, checkpoint: 5, phase: 5 },
  time: { pause: 50, attempt: 150, best: 50, checkpoint: 250, phase: 250 },
})) {
  test(`attempts, pauses, checkpoints and the batch-norm phase are marked by ${name}`, () => {
    const marks = runMarks({ job: JOB, attempts: ATTEMPTS, checkpoints: CHECKPOINTS }, AXES[name]);
    assert.deepEqual(Object.fromEntries(marks.map(({ kind, x }) => [kind, x])), places);
    assert.equal(marks.length, 5);
  });
}

test("without the times of steps, what has a step is marked", () => {
  const marks = runMarks({ job: JOB, attempts: ATTEMPTS, checkpoints: CHECKPOINTS }, axesOf({}).step);
  assert.deepEqual(marks.map(({ kind }) => kind), ["best", "checkpoint", "phase"]);
});

test("a run whose loss was not finite is broken after its last step, and so is its line", () => {
  const failed = { ...JOB, reason: "non_finite_loss", message: "the loss is nan by step 214", finished_at: at(300) };
  const marks = Object.values(AXES).map((axis) => brokenMark(failed, [], axis));
  assert.deepEqual(marks.map(({ x }) => x), [211, 5.275, 300]);
  assert.equal(marks[0].label, "the loss is nan by step 214");
  const [loss] = chartsOf({ series: { loss: [[200, 0.5]], val_loss: [[200, 1.7e21]] } }, AXES.step, marks[0]);
  assert.deepEqual(loss.lines.map(({ points }) => points), [[[200, 0.5], [211, null]], [[200, 1.7e21]]]);
});

test("what a recipe of one's own measures has a chart of its own, and a count of images has none", () => {
  const series = { loss: [[1, 2]], samples: [[1, 360]], grad_norm: [[1, 0.5]], ema_top1_error: [[1, 0.4]] };
  const charts = chartsOf({ series }, AXES.step, null).map(({ title, lines }) => [title, lines.map(({ id }) => id)]);
  assert.deepEqual(charts, [["Loss", ["loss"]], ["Error", ["ema_top1_error"]], ["Grad norm", ["grad_norm"]]]);
});

test("an error, which is between 0 and 1, has no outliers", () => {
  const [loss, error] = chartsOf({ series: { loss: [[1, 3]], top1_error: [[1, 0.9]] } }, AXES.step, null);
  assert.deepEqual([loss.isClipped, error.isClipped], [undefined, false]);
});

test("a run that broke before it measured anything shows where", () => {
  const failed = { ...JOB, progress: { step: 0, total_steps: 9 }, reason: "non_finite_loss", message: null };
  const axis = axesOf({}).step;
  const [loss] = chartsOf({ series: {} }, axis, brokenMark(failed, [], axis));
  assert.deepEqual(loss.lines.map(({ id, points }) => [id, points]), [["loss", [[1, null]]]]);
});

test("a break is beside the last value and not over it", () => {
  const [[, value], [x, broken]] = withBreak([[5, 2]], { x: 5, kind: "broken", label: "" });
  assert.deepEqual([value, broken], [2, null]);
  assert.ok(x > 5 && x < 5.001);
});

test("where the time goes is each part's share of the time since the step before", () => {
  const spent = { step_seconds: [[0, 0], [10, 6], [20, 7]], save_seconds: [[0, 0], [10, 2], [20, 4]] };
  const shares = timeShares(spent);
  assert.deepEqual(shares.step_seconds, [[10, 0.75], [20, 1 / 3]]);
  assert.deepEqual(shares.save_seconds, [[10, 0.25], [20, 2 / 3]]);
});

test("steps that are trained again, and those at which nothing took time, have no shares", () => {
  assert.deepEqual(timeShares({ step_seconds: [[0, 9], [10, 20], [20, 12], [30, 12]] }).step_seconds, [[10, 1]]);
  assert.deepEqual(timeShares({}), {});
});

test("shares of a hundred thousand steps are so far apart that they are seen", () => {
  const spent = { step_seconds: Array.from({ length: 100_000 }, (_, step) => [step, step / 10]) };
  const many = timeShares(spent).step_seconds.length;
  assert.ok(many > 100 && many <= 120, String(many));
});

test("charts below each other have all of the x axis, and none without a point", () => {
  const series = { loss: [[1, 3], [90, 1]], top1_error: [[50, 0.5], [100, 0.4]] };
  assert.deepEqual(extentOf(chartsOf({ series }, AXES.step, null)), [1, 100]);
  assert.deepEqual(extentOf(chartsOf({ series: { loss: [[7, 3]] } }, AXES.step, null)), [7, 8]);
  assert.equal(extentOf(chartsOf({ series: {} }, AXES.step, null)), null);
});

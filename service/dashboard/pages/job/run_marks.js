// The moments of a run that its charts mark.

import { count } from "../../text/format.js";

const NON_FINITE = "non_finite_loss";
const secondsOf = (iso) => Date.parse(iso) / 1000;

/**
 * The marks of a job on an x axis; those of moments are left out if no step has a time.
 * @param {object} run
 * @param {any} run.job
 * @param {any[]} run.attempts
 * @param {any[]} run.checkpoints
 * @param {import("../../charts/x_axis.js").RunAxis} axis
 * @returns {import("../../charts/marks.js").Mark[]}
 */
export function runMarks({ job, attempts, checkpoints }, axis) {
  const marks = [
    ...attempts.flatMap((attempt) => attemptMarks(attempt, axis)),
    ...checkpoints.filter(({ state }) => state === "published").map((each) => checkpointMark(each, job, axis)),
    ...phaseMarks(job, axis),
  ];
  const broken = brokenMark(job, attempts, axis);
  return [...marks, ...(broken ? [broken] : [])].filter(({ x }) => x !== null);
}

function attemptMarks({ number, started_at: start, finished_at: end, reason }, axis) {
  const begins = number > 1 && start ? [{ x: axis.ofTime(secondsOf(start)), kind: "attempt", label: `Attempt ${number} begins` }] : [];
  const isPaused = reason === "paused" && end;
  return isPaused ? [...begins, { x: axis.ofTime(secondsOf(end)), kind: "pause", label: `Paused in attempt ${number}` }] : begins;
}

function checkpointMark({ id, step }, job, axis) {
  const isBest = id === job.best_checkpoint;
  const label = `${isBest ? "Best checkpoint" : "Checkpoint"} of step ${count(step)}`;
  return { x: axis.ofStep(step), kind: isBest ? "best" : "checkpoint", label };
}

/** Where the training ended and the recalibration of batch norm began. */
function phaseMarks(job, axis) {
  const last = job.spec?.params?.total_iters;
  const { step, total_steps: total } = job.progress;
  if (!Number.isInteger(last) || total <= last || step < last) return [];
  return [{ x: axis.ofStep(last), kind: "phase", label: `Batch norm is recalibrated from step ${count(last)} on` }];
}

/**
 * Where the loss was not finite any more, if an attempt ended so: after the last step that was measured.
 * @returns {import("../../charts/marks.js").Mark | null}
 */
export function brokenMark(job, attempts, axis) {
  const attempt = attempts.findLast(({ reason }) => reason === NON_FINITE);
  if (!attempt && job.reason !== NON_FINITE) return null;
  const { message, finished_at: end } = attempt ?? job;
  const after = axis.ofStep(job.progress.step + 1);
  const moment = end ? axis.ofTime(secondsOf(end)) : null;
  return { x: moment === null ? after : Math.max(moment, after), kind: "broken", label: message ?? "The loss is not finite" };
}

/**
 * A line with a break at the mark where the run broke.
 * @param {[number, number | null][]} points
 * @param {import("../../charts/marks.js").Mark | null} broken
 * @returns {[number, number | null][]}
 */
export function withBreak(points, broken) {
  if (!broken) return points;
  const last = points.at(-1)?.[0];
  // Not over the last value.
  return [...points, [last === undefined || broken.x > last ? broken.x : last + Number.EPSILON * Math.max(Math.abs(last), 1) * 4, null]];
}

// One poll of a path for all parts of the page that show it.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

globalThis.document = /** @type {any} */ ({ hidden: false, addEventListener: () => {}, removeEventListener: () => {} });
globalThis.window = /** @type {any} */ ({ addEventListener: () => {}, removeEventListener: () => {} });
mock.timers.enable({ apis: ["setTimeout", "setInterval"] });

const { SharedPoll } = await import("../../service/dashboard/api/shared_poll.js");

/** @type {string[]} */
let asked = [];
globalThis.fetch = async (address) => {
  asked.push(String(address));
  return new Response(JSON.stringify({ number: asked.length }));
};

/** Lets answers arrive, then passes the time. */
async function pass(ms) {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  mock.timers.tick(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

test("parts that show a path ask once, at the shortest of their intervals, until the last has left", async () => {
  asked = [];
  const one = SharedPoll.of("jobs/job_1");
  const leaveSlow = one.join(30_000);
  const other = SharedPoll.of("jobs/job_1");
  const leaveQuick = other.join(2_000);
  assert.equal(one, other);
  await pass(0);
  assert.deepEqual(one.answer.value, { value: { number: 1 }, error: null });
  await pass(2_000);
  assert.equal(asked.length, 2);
  leaveQuick();
  await pass(2_000);
  assert.equal(asked.length, 3);
  await pass(29_000);
  assert.equal(asked.length, 3);
  leaveSlow();
  await pass(60_000);
  assert.equal(asked.length, 3);
  assert.notEqual(SharedPoll.of("jobs/job_1"), one);
});

test("an interval that depends on the answer is asked of no answer", async () => {
  asked = [];
  const answers = globalThis.fetch;
  globalThis.fetch = async (address) => {
    asked.push(String(address));
    return new Response("{}", { status: 404 });
  };
  const poll = SharedPoll.of("jobs/job_none");
  const leave = poll.join((job) => (job.state === "ended" ? 30_000 : 2_000));
  await pass(0);
  assert.equal(poll.answer.value.error?.status, 404);
  await pass(10_000);
  assert.equal(asked.length, 2);
  leave();
  globalThis.fetch = answers;
});

test("who joins with a shorter interval is answered at once", async () => {
  asked = [];
  const poll = SharedPoll.of("jobs/job_2");
  const leaves = [poll.join(30_000)];
  await pass(1_000);
  leaves.push(poll.join(2_000));
  await pass(0);
  assert.equal(asked.length, 2);
  for (const leave of leaves) leave();
});

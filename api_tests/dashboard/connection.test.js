// When the page says that the server is away, and when that it is back.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

let nowMs = 0;
globalThis.document = { hidden: false };
globalThis.performance = { now: () => nowMs };
mock.timers.enable({ apis: ["setInterval"] });

let connection;
let numbers = 0;

beforeEach(async () => {
  nowMs += 60_000;
  mock.timers.tick(60_000);
  document.hidden = false;
  ({ connection } = await import(`../../service/dashboard/api/connection.js?${(numbers += 1)}`));
});

function pass(ms) {
  for (const end = nowMs + ms; nowMs < end; ) {
    nowMs += 50;
    mock.timers.tick(50);
  }
}

test("a server that hangs after its last answer is lost within ten seconds of it", () => {
  connection.sent()();
  connection.answered();
  pass(5_000);
  connection.sent();
  pass(3_900);
  assert.equal(connection.lost, false);
  pass(600);
  assert.equal(connection.lost, true);
});

test("a request that waits says nothing while others are answered", () => {
  connection.sent();
  for (let turn = 0; turn < 5; turn += 1) {
    pass(5_000);
    connection.sent()();
    connection.answered();
    assert.equal(connection.lost, false);
  }
});

test("a request that was sent just before the last answer counts a little later", () => {
  connection.sent();
  pass(100);
  connection.answered();
  pass(7_900);
  connection.sent()();
  assert.equal(connection.lost, false);
  pass(600);
  assert.equal(connection.lost, true);
});

test("it stays lost while the next requests are tried, until an answer", () => {
  const done = connection.sent();
  pass(5_000);
  assert.equal(connection.lost, true);
  done();
  connection.missed("poller");
  assert.equal(connection.lost, true);
  connection.reached("poller");
  assert.equal(connection.lost, true);
  connection.answered();
  assert.equal(connection.lost, false);
});

test("two misses in a row of one caller are a lost server, one of each of two is none", () => {
  connection.missed("one");
  connection.missed("other");
  assert.equal(connection.lost, false);
  connection.missed("one");
  assert.equal(connection.lost, true);
  connection.reached("one");
  assert.equal(connection.lost, false);
});

test("the first answer after a silence has those ask at once that would wait", () => {
  const heard = [];
  for (const kind of ["change", "regained"]) connection.addEventListener(kind, () => heard.push([kind, connection.lost]));
  connection.answered();
  pass(9_000);
  connection.missed("one");
  connection.missed("one");
  connection.answered();
  assert.deepEqual(heard, [["change", true], ["regained", true]]);
  connection.answered();
  connection.reached("one");
  assert.deepEqual(heard.slice(2), [["change", false]]);
});

test("a hidden tab, whose timers are late, says nothing", () => {
  document.hidden = true;
  connection.sent();
  pass(20_000);
  assert.equal(connection.lost, false);
});

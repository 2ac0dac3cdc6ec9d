// What a call that may take long says of the server while it is silent.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

let nowMs = 0;
globalThis.document = { hidden: false };
globalThis.performance = { now: () => nowMs };
mock.timers.enable({ apis: ["setInterval"] });

const { send } = await import("../../service/dashboard/api/client.js");
const { connection } = await import("../../service/dashboard/api/connection.js");

for (const [timeoutMs, lost] of [[undefined, true], [600_000, false]]) {
  test(`a call that may take ${timeoutMs ?? "as long as any"} ms and waits: the server is lost is ${lost}`, async () => {
    let answer;
    globalThis.fetch = () => new Promise((resolve) => (answer = resolve));
    const sent = send("POST", "checkpoints/x/verify", null, { timeoutMs });
    nowMs += 9_000;
    mock.timers.tick(1_000);
    assert.equal(connection.lost, lost);
    answer(new Response('{"ok": true}'));
    assert.deepEqual(await sent, { ok: true });
    assert.equal(connection.lost, false);
  });
}

// The title and the icon of the tab of a job.

import assert from "node:assert/strict";
import { test } from "node:test";

const link = { href: "own.svg" };
globalThis.document = { title: "", querySelector: () => link };

const { resetTab, showInTab } = await import("../../service/dashboard/state/tab.js");

const job = (state, fraction = 0.4) => ({ state, progress: { fraction } });

test("the title begins with the state", () => {
  for (const [shown, expected] of [
    [job("running", 0.427), "42 % first – Trainyard"],
    [job("succeeded"), "✓ first – Trainyard"],
    [job("failed"), "✗ first – Trainyard"],
    [job("queued"), "queued · first – Trainyard"],
    [job("hibernating"), "hibernating · first – Trainyard"],
    [null, "first – Trainyard"],
  ]) {
    showInTab("first", shown);
    assert.equal(document.title, expected);
  }
});

test("the icon is another for each state, and the page's own where there is none", () => {
  const icons = ["running", "succeeded", "failed"].map((state) => {
    showInTab("first", job(state));
    return link.href;
  });
  assert.equal(new Set(icons).size, 3);
  assert.ok(icons.every((icon) => icon.startsWith("data:image/svg+xml,")));
  showInTab("first", job("running", null));
  assert.ok(link.href.startsWith("data:"));
  showInTab("first", job("paused"));
  assert.equal(link.href, "own.svg");
  showInTab("first", job("failed"));
  resetTab();
  assert.equal(link.href, "own.svg");
});

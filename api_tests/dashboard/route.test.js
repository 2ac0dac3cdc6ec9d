// The addresses of views: what is put into one comes out of it.

import assert from "node:assert/strict";
import { test } from "node:test";

const listeners = {};
globalThis.location = { hash: "#/jobs/100%25?state=running&label=a%3Ab&label=c%3Ad" };
globalThis.window = { addEventListener: (name, listener) => (listeners[name] = listener) };
globalThis.history = { state: null, replaceState: (state, title, address) => (location.hash = address) };

const { addressOf, changeQuery, route } = await import("../../service/dashboard/state/route.js");

function go(hash) {
  location.hash = hash;
  listeners.hashchange();
}

test("an address is its parts and its query without escapes", () => {
  assert.deepEqual(route.value.segments, ["jobs", "100%"]);
  assert.deepEqual(route.value.query.getAll("label"), ["a:b", "c:d"]);
});

test("an address that is made is read as what it was made of", () => {
  for (const segments of [["jobs"], ["jobs", "a/b c?d#e"], ["compare", "ü%"]]) {
    go(addressOf(segments, { q: "50 % & more", label: ["a:b", "c:d"], none: null, empty: "" }));
    assert.deepEqual(route.value.segments, segments);
    assert.equal(route.value.query.get("q"), "50 % & more");
    assert.deepEqual(route.value.query.getAll("label"), ["a:b", "c:d"]);
    assert.equal(route.value.query.has("none") || route.value.query.has("empty"), false);
  }
});

test("a part that is no escape stands for itself", () => {
  go("#/jobs/100%");
  assert.deepEqual(route.value.segments, ["jobs", "100%"]);
});

test("the skip link's fragment is no address", () => {
  go("#/jobs/job_1");
  go("#view");
  assert.deepEqual(route.value.segments, ["jobs", "job_1"]);
});

test("a changed entry of the query leaves the others and the path", () => {
  go("#/jobs?state=running&label=a%3Ab&label=c%3Ad");
  changeQuery({ state: null, q: "digits" });
  assert.equal(location.hash, "#/jobs?label=a%3Ab&label=c%3Ad&q=digits");
  assert.equal(route.value.query.get("q"), "digits");
});

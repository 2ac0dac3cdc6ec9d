// What the form computes: drafts, fields by their schemas, texts to paste.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { draftOfAction } from "../../service/dashboard/pages/submit/action_draft.js";
import { asCommand, asCurl, asPython, pythonOf } from "../../service/dashboard/pages/submit/copy_as.js";
import { draftOf, valueAt, withValue } from "../../service/dashboard/pages/submit/draft.js";
import { gpusText, leastGpus, parsedGpus } from "../../service/dashboard/text/gpus.js";
import { changesBetween } from "../../service/dashboard/text/changes.js";
import { fieldKind, parsedValue } from "../../service/dashboard/pages/submit/schema.js";

test("a value is set at its path, and a removed one leaves no empty map", () => {
  const draft = withValue({ kind: "train" }, ["resources", "gpus"], 2);
  assert.deepEqual(draft, { kind: "train", resources: { gpus: 2 } });
  assert.equal(valueAt(draft, ["resources", "gpus"]), 2);
  assert.deepEqual(withValue(draft, ["resources", "gpus"], undefined), { kind: "train" });
  assert.equal(valueAt(draft, ["constructor", "name"]), undefined);
});

test("a draft of a job has its specification without its name and without what was left out", () => {
  const spec = { kind: "train", recipe: "oneshot", name: "first", params: { seed: 1, dropout: null }, preemptible: true, init_from: null };
  assert.deepEqual(draftOf({ spec }), { kind: "train", recipe: "oneshot", params: { seed: 1 }, preemptible: true });
});

test("changes are told by their paths, and a list is one value", () => {
  const before = { params: { seed: 1, widths: [1, 2] }, labels: { team: "a" } };
  const after = { params: { seed: 2, widths: [1, 2] }, priority: 3 };
  assert.deepEqual(changesBetween(before, after), [
    { path: ["params", "seed"], before: 1, after: 2 },
    { path: ["labels", "team"], before: "a", after: undefined },
    { path: ["priority"], before: undefined, after: 3 },
  ]);
});

const AUTO = { anyOf: [{ const: "auto", type: "string" }, { type: "integer", minimum: 0, maximum: 64 }] };
const OPTIONAL = { anyOf: [{ type: "number", minimum: 0, exclusiveMaximum: 1 }, { type: "null" }] };

test("a field's kind and limits follow from its schema", () => {
  assert.equal(fieldKind({ type: "integer", minimum: 32, maximum: 2048, multipleOf: 32 }).limits, "32 to 2048, a multiple of 32");
  assert.deepEqual([fieldKind(OPTIONAL).type, fieldKind(OPTIONAL).limits], ["number", "0 to below 1"]);
  assert.deepEqual([fieldKind(AUTO).type, fieldKind(AUTO).limits], ["text", "auto or 0 to 64"]);
  assert.deepEqual(fieldKind({ type: "string", enum: ["a", "b"] }).choices, ["a", "b"]);
  assert.equal(fieldKind({ type: "boolean" }).type, "boolean");
});

test("a text is the value of its field's type, and what is none is sent as it is", () => {
  const parsed = (schema, text) => parsedValue(fieldKind(schema), text);
  assert.equal(parsed({ type: "integer" }, " 12 "), 12);
  assert.equal(parsed({ type: "number" }, "1e-3"), 0.001);
  assert.equal(parsed({ type: "integer" }, "twelve"), "twelve");
  assert.equal(parsed({ type: "integer" }, ""), undefined);
  assert.equal(parsed(AUTO, "auto"), "auto");
  assert.equal(parsed(AUTO, "4"), 4);
  assert.equal(parsed({ type: "boolean" }, "false"), false);
  assert.equal(parsed({ type: "string", enum: ["1", "2"] }, "1"), "1");
  assert.deepEqual(parsed({ type: "array" }, "[1, 2]"), [1, 2]);
});

test("GPUs are a number or a range, and what is neither is sent as it is", () => {
  for (const [text, gpus] of [["4", 4], ["2:8", { min: 2, max: 8 }], ["", undefined], ["2:", "2:"], ["2-8", "2-8"]]) {
    assert.deepEqual(parsedGpus(text), gpus);
    assert.equal(gpusText(gpus), text);
  }
  assert.deepEqual([leastGpus({ min: 2, max: 8 }), leastGpus(4)], [2, 4]);
});

const DRAFT = { name: "it's $HOME `x`", params: { exact: true, dropout: null, seed: 1 }, labels: ["a"] };

test("a shell gives the command what the draft says, whatever is in it", () => {
  const sent = execFileSync("sh", ["-c", asCommand("http://127.0.0.1:8000/", DRAFT).replace(/\| trainyard.*/, "")]);
  assert.deepEqual(JSON.parse(String(sent)), DRAFT);
  const [, body] = asCurl("http://127.0.0.1:8000/", DRAFT).split("-d ");
  assert.deepEqual(JSON.parse(String(execFileSync("sh", ["-c", `printf %s ${body}`]))), DRAFT);
});

test("Python reads a draft as it is", () => {
  assert.equal(pythonOf(DRAFT.params), '{"exact": True, "dropout": None, "seed": 1}');
  assert.match(asPython("http://127.0.0.1:8000/", DRAFT), /client\.submit\(\{"name": "it's/);
});

const TRAINED = {
  kind: "train",
  recipe: "oneshot",
  variant: "searched",
  spec: { kind: "train", recipe: "oneshot", variant: "searched", labels: { team: "a" }, data: { dataset: "digits" }, params: { total_iters: 50, num_classes: 10, seed: 3 }, resources: { gpus: 1 } },
};

test("a longer training is the training with another start and twice the iterations", () => {
  const body = { kind: "train", init_from: { id: "ckpt_1", state: "full" }, data: { dataset: "digits" } };
  const draft = draftOfAction({ name: "train_longer", path: "/jobs", method: "POST", body }, TRAINED, TRAINED);
  assert.deepEqual(draft, { ...TRAINED.spec, ...body, params: { total_iters: 100, num_classes: 10, seed: 3 } });
});

test("an eval has no parameters of the training, and the data that the server says", () => {
  const body = { kind: "eval", checkpoint: { id: "ckpt_1" }, data: { dataset: "digits" } };
  const draft = draftOfAction({ name: "evaluate", path: "/jobs", method: "POST", body }, TRAINED, TRAINED);
  assert.deepEqual(draft, { ...body, recipe: "oneshot", variant: "searched", labels: { team: "a" }, params: {} });
});

test("a fine-tuning of imported weights has data to begin with, and no parameters", () => {
  const body = { kind: "train", init_from: { id: "ckpt_1" } };
  const imported = { kind: "import", recipe: "shufflenet_v2", variant: "1.5x", spec: { kind: "import", request: { file: "a.pth" } } };
  const draft = draftOfAction({ name: "fine_tune", path: "/jobs", method: "POST", body }, imported, imported);
  assert.deepEqual(draft, { ...body, recipe: "shufflenet_v2", variant: "1.5x", data: { dataset: "digits" }, params: {} });
});

test("a fine-tuning of a deleted job's checkpoint needs the checkpoint alone", () => {
  const body = { kind: "train", init_from: { id: "ckpt_1" } };
  const draft = draftOfAction({ name: "fine_tune", path: "/jobs", method: "POST", body }, { recipe: "oneshot", variant: "searched" }, null);
  assert.deepEqual(draft.init_from, { id: "ckpt_1" });
  assert.equal(draft.recipe, "oneshot");
});

test("a search of a supernet has its checkpoint and its data, and neither recipe nor parameters", () => {
  const body = { kind: "search", checkpoint: { id: "ckpt_1" }, data: { dataset: "digits" }, resources: { gpus: 1 } };
  const draft = draftOfAction({ name: "search", path: "/jobs", method: "POST", body }, TRAINED, TRAINED);
  assert.deepEqual(draft, { ...body, labels: { team: "a" }, params: {} });
});

test("a cloned search names its checkpoint, from which the network follows", () => {
  const spec = { kind: "search", recipe: "supernet", variant: "oneshot", checkpoint: { id: "ckpt_1" }, data: { dataset: "digits" }, params: { generations: 3, known: null }, training: { seed: 1 } };
  const draft = draftOf({ recipe: "supernet", variant: "oneshot", spec });
  assert.deepEqual(draft, { kind: "search", checkpoint: { id: "ckpt_1" }, data: { dataset: "digits" }, params: { generations: 3 } });
});

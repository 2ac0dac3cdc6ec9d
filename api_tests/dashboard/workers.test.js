// Which workers are shown, in which order, and what their use is in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { activityCounts, chosenWorkers, orderedWorkers } from "../../service/dashboard/pages/workers/worker_order.js";
import { gpuUses, hostUse, meanOf, share } from "../../service/dashboard/text/use.js";
import { devicesText, unusableGpusText, workerTone } from "../../service/dashboard/text/workers.js";

const worker = (host, fields = {}) => ({ id: `wrk_${host}`, host, state: "active", ...fields });
const hosts = (workers) => workers.map(({ host }) => host);

test("a number in a host's name counts as a number", () => {
  assert.deepEqual(hosts(orderedWorkers([worker("gpu-10"), worker("gpu-2")], "host")), ["gpu-2", "gpu-10"]);
  assert.deepEqual(hosts(orderedWorkers([worker("gpu-10"), worker("gpu-2")], "-host")), ["gpu-10", "gpu-2"]);
});

test("a cluster's GPUs, of which the memory is not known, are named alone", () => {
  assert.equal(devicesText([{ name: "H100", memory_bytes: 80 * 2 ** 30 }, { name: "L4", memory_bytes: 0 }]), "H100 80 GiB, L4");
});

test("workers whose use is not known are last, whichever way the others are sorted", () => {
  const workers = [worker("a"), worker("b", { sample: { cpu_use: 0.2 } }), worker("c", { sample: { cpu_use: 0.9 } })];
  assert.deepEqual(hosts(orderedWorkers(workers, "cpu")), ["c", "b", "a"]);
  assert.deepEqual(hosts(orderedWorkers(workers, "-cpu")), ["b", "c", "a"]);
});

test("an order that is not known is that of the hosts", () => {
  assert.deepEqual(hosts(orderedWorkers([worker("b"), worker("a")], "constructor")), ["a", "b"]);
});

test("a text is looked for in host, labels and names of jobs, every word of it", () => {
  const workers = [worker("a", { labels: { zone: "eu" }, jobs: ["job_1"], job_names: { job_1: "ResNet" } }), worker("b")];
  assert.deepEqual(hosts(chosenWorkers(workers, null, "zone=eu resnet")), ["a"]);
  assert.deepEqual(hosts(chosenWorkers(workers, null, "zone=eu b7")), []);
  assert.deepEqual(hosts(chosenWorkers(workers, "idle", "")), ["b"]);
});

test("what workers do is counted, also a state of a newer server", () => {
  const counts = activityCounts([worker("a"), worker("b", { state: "hibernating" })]);
  assert.deepEqual(counts.filter(({ many }) => many), [
    { activity: "idle", many: 1 },
    { activity: "hibernating", many: 1 },
  ]);
});

test("a GPU that was not measured has what the worker registered, and nothing else", () => {
  const [gpu] = gpuUses({ gpus: [{ index: 3, name: "H100", memory_bytes: 80 }], sample: null });
  assert.deepEqual([gpu.use, gpu.memoryUse, gpu.totalBytes, gpu.jobId], [null, null, 80, null]);
});

test("a use that is not known is none, and no zero", () => {
  assert.deepEqual(hostUse({ memory_used_bytes: 1, memory_total_bytes: 0 }), { cpu: null, memory: null, disk: null });
  assert.equal(meanOf([null, undefined]), null);
  assert.equal(share(null), "—");
  assert.equal(share(0.934), "93 %");
});

test("a GPU that is not given out says why, and a worker without a sound one is a warning", () => {
  const sound = { index: 0, name: "H100", memory_bytes: 80 };
  const lost = { index: 1, name: "H100", memory_bytes: 80, problem: "the driver has lost it" };
  assert.equal(unusableGpusText([sound, lost]), "GPU 1 is not given out: the driver has lost it");
  assert.equal(unusableGpusText([sound]), "");
  assert.deepEqual(gpuUses({ gpus: [sound, lost] }).map(({ problem }) => problem), [null, "the driver has lost it"]);
  assert.deepEqual([[sound, lost], [lost], []].map((gpus) => workerTone({ state: "active", gpus })), ["good", "warn", "good"]);
  assert.deepEqual(hosts(chosenWorkers([worker("a", { gpus: [lost] }), worker("b", { gpus: [sound] })], null, "lost it")), ["a"]);
});

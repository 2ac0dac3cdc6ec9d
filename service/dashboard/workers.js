// The list of workers above the page, with their states, GPUs and jobs.

import { pageOf, Resource, secondsSince } from "./api.js";
import { el, reconcile, setAttributes, setText } from "./dom.js";
import { age, count, memory } from "./format.js";
import { Poller } from "./poll.js";
import { badge, setBadge } from "./states.js";

const POLL_MS = 5_000;
// Longer than a heartbeat interval, so that no age is shown for a healthy worker.
const SILENT_SECONDS = 30;

export class WorkersStrip {
  #resource = new Resource("workers");
  #summary = el("p", { class: "workers-summary" });
  #list = el("ul", { class: "workers-list" });
  #nodes = new Map();
  #poller = new Poller((signal) => this.#read(signal), POLL_MS, (error) => this.#problem(error));

  constructor(root) {
    root.append(this.#summary, this.#list);
  }

  start() {
    this.#poller.start();
  }

  tick() {
    for (const worker of this.#resource.value?.data ?? []) {
      const node = this.#nodes.get(worker.id);
      if (node) showAge(node, worker);
    }
  }

  async #read(signal) {
    if (!(await this.#resource.read(signal))) return;
    const workers = this.#resource.value.data;
    reconcile(this.#list, this.#nodes, workers, { key: (worker) => worker.id, make, update });
    setText(this.#summary, summaryOf(workers));
  }

  #problem(error) {
    setText(this.#summary, `Workers: ${error.message}`);
  }
}

function summaryOf(workers) {
  if (!workers.length) return "No workers. Jobs wait until one is started: trainyard worker --server …";
  const busy = workers.filter((worker) => worker.jobs?.length).length;
  const noun = workers.length === 1 ? "worker" : "workers";
  return `${count(workers.length)} ${noun}, ${busy ? `${count(busy)} busy` : "all idle"}`;
}

function make(worker) {
  return el(
    "li",
    { class: "worker", title: worker.id },
    el("span", { class: "worker-host" }),
    badge(worker.state),
    el("span", { class: "worker-gpus" }),
    el("span", { class: "worker-jobs" }),
    el("span", { class: "worker-age" }),
  );
}

function update(node, worker) {
  const [host, state, gpus, jobs] = node.children;
  setText(host, worker.host);
  setBadge(state, worker.state);
  setAttributes(state, { "data-tone": toneOf(worker) });
  setText(gpus, gpusOf(worker.gpus ?? []));
  showJobs(jobs, worker.jobs ?? []);
  showAge(node, worker);
}

const TONES = new Map([
  ["quarantined", "warn"],
  ["unreachable", "warn"],
  ["lost", "bad"],
  ["gone", "quiet"],
  ["draining", "waiting"],
]);

const toneOf = ({ state, jobs }) => TONES.get(state) ?? (jobs?.length ? "active" : "good");

function gpusOf(gpus) {
  if (!gpus.length) return "CPU";
  const kinds = new Map();
  for (const gpu of gpus) {
    const kind = `${gpu.name} ${memory(gpu.memory_bytes)}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, many]) => (many > 1 ? `${many} × ${kind}` : kind)).join(", ");
}

function showJobs(node, jobs) {
  // Unchanged links are not replaced, so that hover and focus are not lost.
  const ids = jobs.join(" ");
  if (node.dataset.jobs === ids) return;
  node.dataset.jobs = ids;
  node.replaceChildren(
    ...jobs.map((id) => el("a", { href: pageOf(id), title: id }, `…${id.slice(-6)}`)),
  );
}

function showAge(node, worker) {
  const seconds = secondsSince(worker.last_seen_at);
  setText(node.lastElementChild, seconds > SILENT_SECONDS ? `seen ${age(seconds)}` : "");
}

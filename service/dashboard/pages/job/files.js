// Download links for the files named in a job's result.

import { jobPath } from "../../api/client.js";
import { el } from "../../parts/dom.js";
import { bytes } from "../../text/format.js";

export class JobFiles {
  #jobId;
  #list = el("ul", { class: "files" });
  #shown = "";

  constructor(jobId) {
    this.#jobId = jobId;
    this.root = el("section", { class: "panel job-files", hidden: true }, el("h2", {}, "Files"), this.#list);
  }

  draw(job) {
    const files = Object.entries(job.result?.files ?? {});
    const shown = files.map(([name, { sha256 }]) => name + sha256).join();
    this.root.hidden = files.length === 0;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.replaceChildren(...files.map(([name, digest]) => this.#line(name, digest)));
  }

  #line(name, digest) {
    const href = `${jobPath(this.#jobId)}/files/${encodeURIComponent(name)}`;
    const sum = el("code", { title: `sha256 ${digest.sha256}` }, digest.sha256.slice(0, 10));
    const note = el("span", { class: "file-note" }, `${bytes(digest.bytes)} `, sum);
    return el("li", {}, el("a", { href, download: name }, name), " ", note);
  }
}

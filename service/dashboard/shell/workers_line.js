// The workers in one line of the head of every page.

import { usePolled } from "../api/polled.js";
import { html } from "../parts/html.js";
import { workersSummary } from "../text/workers.js";

const POLL_MS = 5_000;

export function WorkersLine() {
  const { value } = usePolled("workers?samples=false", POLL_MS);
  return html`<a class="workers-line" href="#/workers">${value ? workersSummary(value.data) : "workers"}</a>`;
}

// The pages by their addresses; each shows what its address says.

import { html } from "../parts/html.js";
import { ComparePage } from "./compare/compare_page.js";
import { JobPage } from "./job/job_page.js";
import { JobsPage } from "./jobs/jobs_page.js";
import { SubmitPage } from "./submit/submit_page.js";
import { WorkersPage } from "./workers/workers_page.js";

/**
 * @typedef {object} PageEntry
 * @property {string[]} pattern The parts of the address; one that begins with ":" names a parameter.
 * @property {string | null} section The entry of the navigation that it belongs to.
 * @property {import("../vendor/preact.js").ComponentType<any>} component What is shown; it is given the parameters and the query.
 */

/** @type {PageEntry[]} */
const PAGES = [
  { pattern: [], section: "jobs", component: JobsPage },
  { pattern: ["jobs"], section: "jobs", component: JobsPage },
  { pattern: ["jobs", ":id"], section: "jobs", component: JobPage },
  { pattern: ["compare"], section: "jobs", component: ComparePage },
  { pattern: ["submit"], section: "submit", component: SubmitPage },
  { pattern: ["workers"], section: "workers", component: WorkersPage },
];

/** The page of an address and the parameters in it; null if there is none. */
export function pageOf(segments) {
  for (const page of PAGES) {
    const parameters = parametersOf(page.pattern, segments);
    if (parameters) return { page, parameters };
  }
  return null;
}

function parametersOf(pattern, segments) {
  if (pattern.length !== segments.length) return null;
  const parameters = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(":")) parameters[part.slice(1)] = segments[index];
    else if (part !== segments[index]) return null;
  }
  return parameters;
}

export function NotThere() {
  return html`
    <div class="empty">
      <h1>There is no such page</h1>
      <p>Its address is mistyped, or of another version of this server. <a href="#/jobs">Jobs</a></p>
    </div>
  `;
}

// The pages by their addresses; each shows what its address says, and is loaded when it is first shown.

import { html } from "../parts/html.js";

/**
 * @typedef {import("../vendor/preact.js").ComponentType<any>} PageComponent Given the parameters and the query.
 * @typedef {object} PageEntry
 * @property {string[]} pattern The parts of the address; one that begins with ":" names a parameter.
 * @property {string | null} section The entry of the navigation that it belongs to.
 * @property {() => Promise<PageComponent>} load What is shown, with all that it alone needs.
 */

const loadJobsPage = () => import("./jobs/jobs_page.js").then((module) => module.JobsPage);
const loadJobPage = () => import("./job/job_page.js").then((module) => module.JobPage);
const loadCheckpointsPage = () => import("./checkpoints/checkpoints_page.js").then((module) => module.CheckpointsPage);
const loadCheckpointPage = () => import("./checkpoints/checkpoint_page.js").then((module) => module.CheckpointPage);
const loadComparePage = () => import("./compare/compare_page.js").then((module) => module.ComparePage);
const loadSubmitPage = () => import("./submit/submit_page.js").then((module) => module.SubmitPage);
const loadSweepsPage = () => import("./sweeps/sweeps_page.js").then((module) => module.SweepsPage);
const loadSweepPage = () => import("./sweeps/sweep_page.js").then((module) => module.SweepPage);
const loadWorkersPage = () => import("./workers/workers_page.js").then((module) => module.WorkersPage);
const loadWebhooksPage = () => import("./webhooks/webhooks_page.js").then((module) => module.WebhooksPage);
const loadAuditPage = () => import("./audit/audit_page.js").then((module) => module.AuditPage);

/** @type {PageEntry[]} */
const PAGES = [
  { pattern: [], section: "jobs", load: loadJobsPage },
  { pattern: ["jobs"], section: "jobs", load: loadJobsPage },
  { pattern: ["jobs", ":id"], section: "jobs", load: loadJobPage },
  { pattern: ["checkpoints"], section: "checkpoints", load: loadCheckpointsPage },
  { pattern: ["checkpoints", ":id"], section: "checkpoints", load: loadCheckpointPage },
  { pattern: ["sweeps"], section: "sweeps", load: loadSweepsPage },
  { pattern: ["sweeps", ":id"], section: "sweeps", load: loadSweepPage },
  { pattern: ["compare"], section: "jobs", load: loadComparePage },
  { pattern: ["submit"], section: "submit", load: loadSubmitPage },
  { pattern: ["workers"], section: "workers", load: loadWorkersPage },
  { pattern: ["webhooks"], section: "webhooks", load: loadWebhooksPage },
  { pattern: ["audit"], section: "audit", load: loadAuditPage },
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

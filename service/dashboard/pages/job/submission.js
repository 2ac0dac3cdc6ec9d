// What a job was submitted with, and how that differs from the job that it comes from.

import { useState } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { ChangesTable } from "../../parts/changes_table.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { changesBetween } from "../../text/changes.js";
import { titleOf } from "../../text/job_title.js";

// They do not change.
const POLL_MS = 3_600_000;

/** `parent` is the job to compare with, null for none. */
export function SubmissionPanel({ job, parent }) {
  const [isOpen, setOpen] = useState(false);
  // The page has it without what may be long.
  const { value: whole, error } = usePolled(isOpen && job.left_out ? jobPath(job.id) : null, POLL_MS);
  const shown = job.left_out ? whole : job;
  return html`
    <details class="panel spec" onToggle=${(event) => setOpen(event.target.open)}>
      <summary><h2>Submission</h2></summary>
      ${isOpen && html`<${Problem} of="Submission" error=${error} />`}
      ${isOpen && shown && parent && html`<${Differences} job=${shown} origin=${parent} />`}
      ${isOpen && shown && html`<pre tabindex="0" role="region" aria-label="Submission">${JSON.stringify(shown.spec, null, 2)}</pre>`}
    </details>
  `;
}

function Differences({ job, origin }) {
  const { value, error } = usePolled(jobPath(origin.id), POLL_MS);
  if (!value) return html`<${Problem} of="Differences" error=${error} />`;
  const changes = changesBetween(value.spec, job.spec);
  const title = titleOf(origin);
  if (!changes.length) return html`<p class="quiet">The same as that of ${title}.</p>`;
  return html`<${ChangesTable} label=${`Differences to ${title}`} before=${title} changes=${changes} absent="—" />`;
}

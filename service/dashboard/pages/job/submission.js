// What a job was submitted with, and how that differs from the job that it comes from.

import { useState } from "../../vendor/preact.js";
import { jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { changesBetween } from "../../text/changes.js";
import { titleOf } from "../../text/job_title.js";
import { shownName } from "../../text/user_text.js";

// It does not change.
const POLL_MS = 3_600_000;

/** `parent` is the job to compare with, null for none. */
export function SubmissionPanel({ job, parent }) {
  const [isOpen, setOpen] = useState(false);
  return html`
    <details class="panel spec" onToggle=${(event) => setOpen(event.target.open)}>
      <summary><h2>Submission</h2></summary>
      ${isOpen && parent && html`<${Differences} job=${job} origin=${parent} />`}
      ${isOpen && html`<pre tabindex="0" role="region" aria-label="Submission">${JSON.stringify(job.spec, null, 2)}</pre>`}
    </details>
  `;
}

function Differences({ job, origin }) {
  const { value, error } = usePolled(jobPath(origin.id), POLL_MS);
  if (!value) return html`<${Problem} of="Differences" error=${error} />`;
  const changes = changesBetween(value.spec, job.spec);
  const title = titleOf(origin);
  if (!changes.length) return html`<p class="quiet">The same as that of ${title}.</p>`;
  return html`
    <table class="changes" aria-label=${`Differences to ${title}`}>
      <thead><tr><th scope="col">Field</th><th scope="col">${title}</th><th scope="col">Here</th></tr></thead>
      <tbody>
        ${changes.map(
          ({ path, before, after }) => html`
            <tr key=${path.join("/")}><th scope="row">${path.map(shownName).join(".")}</th><td>${textOf(before)}</td><td>${textOf(after)}</td></tr>
          `,
        )}
      </tbody>
    </table>
  `;
}

const textOf = (value) => (value === undefined ? "—" : typeof value === "string" ? shownName(value) : JSON.stringify(value));

// The jobs that are compared, each with the colour of its lines.

import { Badge } from "../../parts/badge.js";
import { html } from "../../parts/html.js";
import { addressOf } from "../../state/route.js";
import { titleOf } from "../../text/job_title.js";

export function JobChips({ jobs, onRemove }) {
  return html`
    <ul class="job-chips" aria-label="Jobs">
      ${jobs.map(
        (job, line) => html`
          <li key=${job.id} class="job-chip" data-line=${(line % 8) + 1}>
            <a href=${addressOf(["jobs", job.id])} title=${job.id}>${titleOf(job)}</a>
            <${Badge} state=${job.state} />
            <button type="button" class="tool" aria-label=${`Leave out ${titleOf(job)}`} onClick=${() => onRemove(job.id)}>✕</button>
          </li>
        `,
      )}
    </ul>
  `;
}

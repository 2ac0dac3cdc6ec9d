// The button that asks for a notification of the browser when the job has ended.

import { useState } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";
import { isEnded } from "../../parts/states.js";
import { bells, permissionProblem, setBell } from "../../state/bells.js";

export function Bell({ job }) {
  const [problem, setProblem] = useState(null);
  if (isEnded(job)) return null;
  const isOn = bells.value.includes(job.id);
  const change = async () => {
    const reason = isOn ? null : await permissionProblem();
    setProblem(reason);
    if (!reason) setBell(job.id, !isOn);
  };
  const title = isOn ? "A notification comes when this job ends, while this tab is open" : "Notify me when this job ends";
  return html`
    <button type="button" class="button bell" aria-label="Notify me when this job ends" aria-pressed=${String(isOn)} title=${title} onClick=${change}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d="M3 11.5h10l-1.3-1.8V7a3.7 3.7 0 0 0-7.4 0v2.7z" fill=${isOn ? "currentColor" : "none"} stroke="currentColor" stroke-width="1.3" stroke-linejoin="round" />
        <path d="M6.6 13.5a1.5 1.5 0 0 0 2.8 0" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linecap="round" />
      </svg>
    </button>
    ${problem && html`<p class="callout bell-problem" data-tone="warn" role="alert">${problem}</p>`}
  `;
}

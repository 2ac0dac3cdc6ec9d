// What is shown in place of an empty list of jobs.

import { useEffect, useState } from "../../vendor/preact.js";
import { html } from "../../parts/html.js";

/** How to submit a first job, with a command to paste into a shell. */
export function FirstJob() {
  const [command, setCommand] = useState(null);
  useEffect(() => {
    // Without an answer the message stands without the command, and still leads to the API.
    commandOf().then(setCommand, () => setCommand(null));
  }, []);
  return html`
    <div class="empty">
      <h2>No jobs yet</h2>
      <p>Submit the first one by <a href="#/submit">the form</a>, or by this command: a short training on the digits data set, which takes minutes on a CPU.</p>
      ${command && html`<div class="command"><pre tabindex="0"><code>${command}</code></pre><${CopyButton} text=${command} /></div>`}
      <p class="quiet">The API is described at <a href="docs">docs</a>. Imports, exports and checks of data are not shown here: <a href="#/jobs?kind=all">show all kinds</a>.</p>
    </div>
  `;
}

async function commandOf() {
  const response = await fetch(new URL("../../first_job.json", import.meta.url));
  const job = JSON.stringify(await response.json(), null, 2).replace(/\n\s*/g, " ");
  return [`curl ${new URL("jobs", document.baseURI)} \\`, `  -H 'Content-Type: application/json' \\`, `  -d '${job}'`].join("\n");
}

export function NothingFound() {
  return html`<div class="empty"><p>No job matches. <a href="#/jobs">Show all jobs</a></p></div>`;
}

/** A button that copies; nothing over plain HTTP from another machine, without clipboard access. */
function CopyButton({ text }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  if (!navigator.clipboard) return null;
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return html`<button type="button" class="button" onClick=${copy}>${isCopied ? "Copied" : "Copy"}</button>`;
}

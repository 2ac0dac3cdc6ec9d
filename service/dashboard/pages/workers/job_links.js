// Links to the jobs of a worker.

import { html } from "../../parts/html.js";
import { addressOf } from "../../state/route.js";
import { isBlank } from "../../text/user_text.js";

/** The name of a worker's job; one without a name is known by the end of its id. */
export const jobText = (worker, id) => (isBlank(worker.job_names?.[id]) ? `…${id.slice(-6)}` : worker.job_names[id]);

/** Links to the jobs that run there, by their names; `most` of them, and how many more there are. */
export function JobLinks({ worker, most = Infinity }) {
  const ids = worker.jobs ?? [];
  const shown = ids.slice(0, most);
  return html`
    ${shown.map((id) => html`<a key=${id} href=${addressOf(["jobs", id])} title=${id}>${jobText(worker, id)}</a>`)}
    ${ids.length > shown.length && html`<small>${ids.length - shown.length} more</small>`}
  `;
}

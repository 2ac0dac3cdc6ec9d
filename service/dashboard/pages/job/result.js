// What a job has found out.

import { Definitions } from "../../parts/definitions.js";
import { html } from "../../parts/html.js";
import { isEnded } from "../../parts/states.js";
import { count, counted, namedMetric, validationTitle } from "../../text/format.js";

export function Result({ job }) {
  const entries = job.kind === "check_data" && job.result?.splits ? checkEntries(job.result) : plainEntries(job, SHOWN_ABOVE.get(job.kind));
  const none = isEnded(job) ? "This job has no result." : "The result is shown when the job has succeeded.";
  return html`
    <section class="panel result">
      <h2>Result</h2>
      ${entries.length ? html`<${Definitions} entries=${entries} />` : html`<p class="quiet">${none}</p>`}
    </section>
  `;
}

/** What of a kind's result is a part of its page already. */
const SHOWN_ABOVE = new Map([["search", "best"]]);

/** Values other than numbers and texts are shown as JSON. */
const plainEntries = (job, shownAbove) =>
  Object.entries(job.result ?? {})
    .filter(([name]) => name !== "files" && name !== shownAbove)
    .map(([name, value]) => {
      const isPlain = typeof value === "number" || typeof value === "string";
      return { name: validationTitle(name), value: isPlain ? namedMetric(name, value) : JSON.stringify(value) };
    });

function checkEntries({ data, ok, splits, problems, problems_total: total }) {
  const left = total - problems.length;
  return [
    { name: "Data", value: data },
    { name: "Verdict", value: ok ? "nothing in it would end a job" : "a job with it would fail" },
    ...splits.map(({ name, images, classes }) => ({ name, value: `${counted(images, "image", "images")} of ${counted(classes, "class", "classes")}` })),
    ...problems.map(({ ends_job: ends, text }, index) => ({ name: `${ends ? "Problem" : "Note"} ${index + 1}`, value: text })),
    ...(left > 0 ? [{ name: "Others", value: `${count(left)} more, in the file` }] : []),
  ];
}

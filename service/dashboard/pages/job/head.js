// What a job's page leads with: its name, its state and why, what may be done, how far it is.

import { lacksRole } from "../../api/session.js";
import { Badge } from "../../parts/badge.js";
import { Bar } from "../../parts/bar.js";
import { html } from "../../parts/html.js";
import { addressOf } from "../../state/route.js";
import { count, percent } from "../../text/format.js";
import { titleOf } from "../../text/job_title.js";
import { progressNoun } from "../../text/kinds.js";
import { visible } from "../../text/user_text.js";
import { Bell } from "./bell.js";
import { JobActions } from "./job_actions.js";
import { Origins } from "./lineage.js";

/** `afterwards(job)` is called with the changed job, or with the new one, after an action. */
export function JobHead({ job, lineage, isGone, afterwards }) {
  const identity = [job.id, job.kind, job.recipe, job.variant, job.submitted_by && `submitted by ${job.submitted_by}`].filter(Boolean).join(" · ");
  const labels = Object.entries(job.labels);
  return html`
    <header class="job-head">
      <div class="name"><h1>${titleOf(job)}</h1><${Badge} state=${job.state} /></div>
      ${!isGone &&
      html`
        <div class="verbs">
          <${Bell} job=${job} />
          ${mayBeClonedByForm(job) && !lacksRole("user") && html`<a class="button" href=${addressOf(["submit"], { from: job.id })}>Clone and edit</a>`}
          <${JobActions} job=${job} afterwards=${afterwards} />
        </div>
      `}
      <p class="identity">${identity}</p>
      <${Origins} job=${job} lineage=${lineage} />
      ${labels.length > 0 &&
      html`<ul class="labels" aria-label="Labels">${labels.map(([key, value]) => html`<li key=${key} class="tag"><${Label} name=${key} value=${value} /></li>`)}</ul>`}
    </header>
  `;
}

/** The pages of what the server names in a label: that of every job of a sweep, of every part of a search. */
const PAGES = new Map([
  ["sweep", "sweeps"],
  ["part_of", "jobs"],
]);

function Label({ name, value }) {
  const text = `${name}: ${value}`;
  // A text that is in no element is not made visible by the template.
  const page = PAGES.get(name);
  return page ? html`<a href=${addressOf([page, value])}>${text}</a>` : visible(text);
}

/** What the form submits; a job that cannot be read has no specification to change. */
const OF_FORM = new Set(["train", "eval", "search"]);
const mayBeClonedByForm = (job) => !job.unreadable && OF_FORM.has(job.kind);

export function Progress({ job }) {
  const { fraction, step, total_steps: total, phase } = job.progress;
  const noun = progressNoun(job);
  const suffix = job.state === "running" && !noun && phase !== "train" ? ` · ${phase}` : "";
  const done = `${count(step)} of ${count(total)}`;
  return html`
    <div class="job-progress">
      <${Bar} label="Progress" fraction=${fraction} state=${job.state} />
      <span class="percent">${percent(fraction)}</span>
      <span class="steps">${noun ? `${done} ${noun}` : `step ${done}`}${suffix}</span>
    </div>
  `;
}

// The form that submits a job: a new one, or another one's specification with changes.

import { useEffect, useMemo, useState } from "../../vendor/preact.js";
import { jobPath, send } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { addressOf, navigate } from "../../state/route.js";
import { titleOf } from "../../text/job_title.js";
import { draftOf, NEW_DRAFT } from "./draft.js";
import { problemsOf, useDryRun } from "./dry_run.js";
import { SubmitForm } from "./form.js";
import { Changes, CopyAs, Problems, RunLength } from "./summary.js";

const RARELY_MS = 3_600_000;

export function SubmitPage({ query }) {
  const from = query.get("from");
  const original = usePolled(from && jobPath(from), RARELY_MS);
  const recipes = usePolled("recipes", RARELY_MS);
  const datasets = usePolled("datasets", RARELY_MS);
  useEffect(() => {
    document.title = "Submit – Trainyard";
  }, []);
  const isReady = recipes.value && datasets.value && (!from || original.value);
  return html`
    <div class="page-head"><h1>${original.value ? html`Again: ${titleOf(original.value)}` : "Submit a job"}</h1></div>
    <${Problem} of=${`Job ${from}`} error=${original.error} />
    <${Problem} of="Recipes" error=${recipes.error} />
    ${isReady &&
    html`<${Editor} key=${from} job=${original.value} recipes=${recipes.value.data} datasets=${datasets.value.data} />`}
  `;
}

function Editor({ job, recipes, datasets }) {
  const original = useMemo(() => (job ? draftOf(job) : NEW_DRAFT), [job?.id]);
  const [draft, setDraft] = useState(original);
  const dryRun = useDryRun(draft);
  const { refusal, isSending, submit } = useSubmission(draft);
  const problems = refusal ?? dryRun.problems;
  return html`
    <form class="submit" onSubmit=${submit} noValidate>
      <div class="submit-fields">
        <${SubmitForm} draft=${draft} onChange=${setDraft} problems=${problems} recipes=${recipes} datasets=${datasets} />
      </div>
      <aside class="panel submit-summary" aria-label="Summary">
        <h2>Dry run</h2>
        <${RunLength} completed=${dryRun.completed} datasets=${datasets} />
        <${Problems} problems=${problems} isChecked=${dryRun.isChecked} />
        ${job && html`<h2>Changes</h2><${Changes} original=${original} draft=${draft} />`}
        <button type="submit" class="button primary" disabled=${isSending || dryRun.problems.size > 0}>Submit</button>
        <${CopyAs} draft=${draft} />
      </aside>
    </form>
  `;
}

/** Sends a draft once, however often the button is pressed; leads to its job's page. */
function useSubmission(draft) {
  const [refusal, setRefusal] = useState(null);
  const [isSending, setSending] = useState(false);
  const key = useMemo(() => crypto.randomUUID(), [draft]);
  useEffect(() => setRefusal(null), [draft]);
  const submit = async (event) => {
    event.preventDefault();
    setSending(true);
    try {
      const job = await send("POST", "jobs", draft, { headers: { "Idempotency-Key": key } });
      navigate(addressOf(["jobs", job.id]));
    } catch (error) {
      setRefusal(problemsOf(error));
      setSending(false);
    }
  };
  return { refusal, isSending, submit };
}

// The form that submits a job: a new one, or another one's specification with changes.

import { useEffect, useMemo, useState } from "../../vendor/preact.js";
import { send } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { html } from "../../parts/html.js";
import { Problem } from "../../parts/problem.js";
import { addressOf, navigate } from "../../state/route.js";
import { problemsOf, useDryRun } from "./dry_run.js";
import { SubmitForm } from "./form.js";
import { useOrigin } from "./origin.js";
import { Changes, CopyAs, Problems, RunLength, Warnings } from "./summary.js";

const RARELY_MS = 3_600_000;

export function SubmitPage({ query }) {
  const origin = useOrigin(query);
  const recipes = usePolled("recipes", RARELY_MS);
  const datasets = usePolled("datasets", RARELY_MS);
  const schemas = useKindSchemas(origin.start?.kind);
  useEffect(() => {
    document.title = "Submit – Trainyard";
  }, []);
  const isReady = recipes.value && datasets.value && schemas.isReady && origin.isReady;
  return html`
    <div class="page-head"><h1>${origin.title}</h1></div>
    <${Problem} of=${origin.name} error=${origin.error} />
    <${Problem} of="Recipes" error=${recipes.error} />
    <${Problem} of="Parameters" error=${schemas.error} />
    ${origin.refusal && html`<p class="callout" data-tone="bad" role="alert">${origin.refusal} <a href=${origin.address}>Its page</a> has what it allows.</p>`}
    ${isReady &&
    html`<${Editor} key=${query.toString()} origin=${origin} recipes=${recipes.value.data} datasets=${datasets.value.data} params=${schemas.params} />`}
  `;
}

function Editor({ origin: { start, original, weights }, recipes, datasets, params }) {
  const [draft, setDraft] = useState(start);
  const dryRun = useDryRun(draft);
  const { refusal, isSending, submit } = useSubmission(draft);
  const problems = refusal ?? dryRun.problems;
  return html`
    <form class="submit" onSubmit=${submit} noValidate>
      <div class="submit-fields">
        <${SubmitForm} draft=${draft} onChange=${setDraft} problems=${problems} hints=${dryRun.hints} recipes=${recipes} datasets=${datasets} params=${params} weights=${weights} />
      </div>
      <aside class="panel submit-summary" aria-label="Summary">
        <h2>Dry run</h2>
        <${RunLength} completed=${dryRun.completed} datasets=${datasets} />
        <${Warnings} hints=${dryRun.hints} />
        <${Problems} problems=${problems} isChecked=${dryRun.isChecked} />
        ${original && html`<h2>Changes</h2><${Changes} original=${original} draft=${draft} />`}
        <button type="submit" class="button primary" disabled=${isSending || dryRun.problems.size > 0}>Submit</button>
        <${CopyAs} draft=${draft} />
      </aside>
    </form>
  `;
}

/** The parameters of a kind that are not those of a recipe, from the server's own description; null for others. */
function useKindSchemas(kind) {
  const name = OWN_PARAMETERS.get(kind);
  const { value, error } = usePolled(name ? "openapi.json" : null, RARELY_MS);
  return { isReady: !name || Boolean(value), error, params: name && value ? value.components.schemas[name].properties : null };
}

const OWN_PARAMETERS = new Map([["search", "SearchParams"]]);

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

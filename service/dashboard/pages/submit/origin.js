// What a form begins with: nothing, a job that is cloned, or what may be made of a job or a checkpoint.

import { useMemo } from "../../vendor/preact.js";
import { checkpointPath, jobPath } from "../../api/client.js";
import { usePolled } from "../../api/polled.js";
import { addressOf } from "../../state/route.js";
import { stepTitle } from "../../text/checkpoints.js";
import { titleOf } from "../../text/job_title.js";
import { ACTION_TITLES, draftOfAction, draftOfPath, weightsOfPath } from "./action_draft.js";
import { draftOf, NEW_DRAFT } from "./draft.js";

const RARELY_MS = 3_600_000;

/**
 * Reads what the address names: `from=JOB`, `checkpoint=ID`, with `action=NAME` of those it allows; or
 * `from=JOB` of a search and `path=DIGITS`, a path to train.
 * `start` is the draft to begin with, `original` the one that changes are shown against, if any, and
 * `weights` are checkpoints that it could start from.
 * @param {URLSearchParams} query
 * @returns {{isReady: boolean, title: string, name: string, address: string, error: any, refusal: string | null, start: any, original: any, weights: {id: string, title: string}[]}}
 */
export function useOrigin(query) {
  const [from, checkpointId, actionName, blocks] = ["from", "checkpoint", "action", "path"].map((name) => query.get(name));
  const checkpoint = usePolled(checkpointId && checkpointPath(checkpointId), RARELY_MS);
  const jobId = from ?? checkpoint.value?.job_id;
  const job = usePolled(jobId ? jobPath(jobId) : null, RARELY_MS);
  const summary = usePolled(from && blocks ? `${jobPath(from)}/search` : null, RARELY_MS);
  const origin = checkpointId ? checkpoint.value : job.value;
  // The job that saved a checkpoint may have been deleted.
  const isJobRead = checkpointId ? Boolean(checkpoint.value && (job.value || job.error)) : !from || Boolean(job.value);
  const isRead = isJobRead && (!from || !blocks || Boolean(summary.value));
  const drafts = useMemo(() => {
    if (!isRead) return null;
    return summary.value ? draftsOfPath(blocks, origin, summary.value) : draftsOf(actionName, origin, job.value);
  }, [isRead, query.toString()]);
  return {
    isReady: drafts?.start !== undefined,
    title: blocks && origin ? `Train a path of ${titleOf(origin)}` : titleFor(actionName, checkpointId, origin),
    name: checkpointId ? `Checkpoint ${checkpointId}` : `Job ${from}`,
    error: (checkpointId ? checkpoint.error : job.error) ?? summary.error,
    address: addressOf(checkpointId ? ["checkpoints", checkpointId] : ["jobs", from ?? ""]),
    refusal: drafts?.refusal ?? null,
    start: drafts?.start,
    original: drafts?.original ?? null,
    weights: drafts?.weights ?? NONE,
  };
}

const NONE = [];

const draftsOfPath = (blocks, search, summary) => ({ start: draftOfPath(blocks, search, summary), weights: weightsOfPath(blocks, search, summary) });

function draftsOf(actionName, origin, job) {
  if (!origin) return { start: NEW_DRAFT };
  if (actionName === null) return { start: draftOf(origin), original: draftOf(origin) };
  const action = ACTION_TITLES.has(actionName) && origin.actions?.find(({ name }) => name === actionName);
  if (!action) return { refusal: `${origin.id} does not allow this now: it has changed, or its checkpoint has been removed.` };
  const start = draftOfAction(action, origin, job);
  return { start, original: actionName === "train_longer" && job ? draftOf(job) : null };
}

function titleFor(actionName, checkpointId, origin) {
  if (!origin) return "Submit a job";
  const title = checkpointId ? `${stepTitle(origin)} of ${origin.recipe} ${origin.variant}` : titleOf(origin);
  return `${ACTION_TITLES.get(actionName) ?? "Again"}: ${title}`;
}

// Drafts of what may be made of a job or a checkpoint, from the `actions` that the server says.

import { draftOf, NEW_DRAFT, withoutNulls } from "./draft.js";

/** What each action that the form completes is called in its head. */
export const ACTION_TITLES = new Map([
  ["train_longer", "Train longer"],
  ["evaluate", "Evaluate"],
  ["fine_tune", "Fine-tune"],
  ["search", "Search"],
]);

/**
 * The action's own body, with what the user would have to repeat.
 * @param {import("../../api/types").JobAction} action
 * @param {{recipe?: string | null, variant?: string | null}} origin The job or the checkpoint.
 * @param {any} job The training that saved the checkpoint; null if it is not known, or did not train.
 */
export function draftOfAction(action, origin, job) {
  const network = networkOf(origin);
  const trained = job?.kind === "train" && job.spec?.kind === "train" ? draftOf(job) : null;
  const { total_iters: totalIters, num_classes: _, ...params } = trained?.params ?? {};
  const own = action.body ?? {};
  if (action.name === "train_longer") return { ...trained, ...network, ...own, params: { ...trained?.params, total_iters: 2 * totalIters || undefined } };
  const data = own.data ?? trained?.data ?? searchedData(origin) ?? NEW_DRAFT.data;
  const labels = trained?.labels && Object.keys(trained.labels).length ? { labels: trained.labels } : {};
  if (action.name === "search") return { ...own, ...labels, data, params: {} };
  if (action.name === "evaluate") return { ...own, ...network, ...labels, data, params: {} };
  const iterations = totalIters === undefined ? {} : { total_iters: totalIters };
  const resources = trained?.resources ? { resources: trained.resources } : {};
  return { ...own, ...network, ...labels, ...resources, data, params: { ...params, ...iterations } };
}

/** What a job or a checkpoint has weights of; a search leaves a network of another recipe than its own. */
function networkOf(origin) {
  const { recipe, variant } = origin.kind === "search" ? (origin.result ?? {}) : origin;
  return { recipe: recipe ?? undefined, variant: variant ?? undefined };
}

const searchedData = (origin) => (origin.kind === "search" ? withoutNulls(origin.spec.data) : undefined);

/**
 * The training, from new weights, of a path that a search has measured, on its data and at the size of
 * image that its supernet was trained with.
 * @param {string} blocks
 * @param {any} search The job of the search.
 * @param {import("../../api/types").SearchSummary} summary
 */
export function draftOfPath(blocks, search, summary) {
  const { data, labels, training } = search.spec;
  const size = training?.image_size;
  return {
    kind: "train",
    recipe: summary.recipe,
    search: search.id,
    variant: { blocks, ...(summary.space && { space: summary.space }) },
    ...(labels && Object.keys(labels).length ? { labels } : {}),
    data: withoutNulls(data),
    params: size === undefined ? {} : { image_size: size },
  };
}

/**
 * The checkpoints that a training of the path could start from: that of the search, of its best path.
 * @returns {{id: string, title: string}[]}
 */
export function weightsOfPath(blocks, search, summary) {
  const isLeft = search.latest_checkpoint && summary.best?.blocks === blocks;
  return isLeft ? [{ id: search.latest_checkpoint, title: "What the search left of this path" }] : [];
}

// Drafts of what may be made of a job or a checkpoint, from the `actions` that the server says.

import { draftOf, NEW_DRAFT } from "./draft.js";

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
  const network = { recipe: origin.recipe ?? undefined, variant: origin.variant ?? undefined };
  const trained = job?.kind === "train" && job.spec?.kind === "train" ? draftOf(job) : null;
  const { total_iters: totalIters, num_classes: _, ...params } = trained?.params ?? {};
  const own = action.body ?? {};
  if (action.name === "train_longer") return { ...trained, ...network, ...own, params: { ...trained?.params, total_iters: 2 * totalIters || undefined } };
  const data = own.data ?? trained?.data ?? NEW_DRAFT.data;
  const labels = trained?.labels && Object.keys(trained.labels).length ? { labels: trained.labels } : {};
  if (action.name === "search") return { ...own, ...labels, data, params: {} };
  if (action.name === "evaluate") return { ...own, ...network, ...labels, data, params: {} };
  const iterations = totalIters === undefined ? {} : { total_iters: totalIters };
  const resources = trained?.resources ? { resources: trained.resources } : {};
  return { ...own, ...network, ...labels, ...resources, data, params: { ...params, ...iterations } };
}

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
    data,
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

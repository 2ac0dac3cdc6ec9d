// What to change after a job has failed, by the reason that it failed with.

/** @type {Map<string, (spec: any) => string>} */
const CURES = new Map(Object.entries({
  out_of_memory: (spec) => {
    const size = spec.params?.batch_size;
    const half = size > 1 ? `from ${size} to ${Math.floor(size / 2)}` : "or image_size";
    const parts = spec.params?.accumulate;
    const more = parts > 0 ? `Raise accumulate from ${parts} to ${2 * parts}, for the same batch in smaller parts. Or lower` : "Lower";
    return `${more} batch_size ${half}, and learning_rate in proportion, or have it run on a worker with more memory by a label in resources.`;
  },
  non_finite_loss: (spec) => {
    const rate = spec.params?.learning_rate;
    const lower = rate > 0 ? ` (from ${rate} to ${Number((rate / 10).toPrecision(3))}, say)` : "";
    return `Lower learning_rate${lower}. The same seed gives the same loss again, so a retry without a change fails at the same step.`;
  },
  invalid_data: () => "Mend or remove the file that is named, then retry. A job of the kind check_data reads every image, and lists all that is wrong in one go.",
  incompatible_checkpoint: () => "Choose a checkpoint of the same recipe, variant and number of classes; \"head\": \"replace\" starts a new last layer for other classes.",
  disk_full: () => "Make room on the volume: lower retention.keep_last, delete checkpoints or jobs, then retry from the latest checkpoint.",
  stalled: () => "Its log ends with the stack of each process, which says where it hung: a slow or hanging file system of the data is the usual cause.",
  crashed: () => "The last lines of its log say what it was doing. If the cause is gone, retry it from the latest checkpoint.",
  poison: () => "It took its worker down each time. Look for a machine that ends processes for want of memory; lower batch_size or the loader's workers, then retry.",
  worker_lost: () => "Its worker went away. Retry it from the latest checkpoint once a worker is there.",
  worker_unfit: () => "The worker cannot read its data root, its torch cannot use the GPU, or it has not what the job needs. Mend the worker (trainyard doctor helps), or choose another by a label in resources.",
  unreadable_spec: () => "Its specification was stored by another version of the server. Submit it anew with this version.",
}));

/** What to change, as a sentence; null for a reason that this page does not know. */
export function cureOf(job) {
  const cure = CURES.get(job.reason);
  return cure ? cure(job.spec ?? {}) : null;
}

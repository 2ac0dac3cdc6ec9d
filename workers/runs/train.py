"""A training, from fresh weights, given weights, or the state in which it was interrupted."""

from typing import Any

from workers.data.classes import difference, in_class_order
from workers.data.errors import InvalidData
from workers.data.fingerprint import RunData
from workers.data.sampler import batches_per_epoch
from workers.recipes.learning_rate_scale import scale_sentence
from workers.runs.datasets import check_class_count, open_run_split, require_same_images
from workers.training.batch_norm import require_two_values
from workers.training.checkpoint_publisher import CheckpointPublisher
from workers.training.execution_choice import choose
from workers.training.initial_state import begin
from workers.training.preprocessing import mean_to_train_with
from workers.training.run_context import RunContext
from workers.training.synchronised_batch_norm import images_of_statistics
from workers.training.trainer import Trainer, total_steps


def run(context: RunContext) -> dict[str, Any]:
    """Train to the end and give the result; raises NonFiniteLoss, Stopped, InvalidData."""
    params, data = context.params, context.claim.job_spec.data
    # A slow volume may take one rank longer than ranks wait for each other.
    with context.ranks.apart():
        mean = mean_to_train_with(context.assignment, params)
        train = open_run_split(context, data, "train", params, mean)
        val = open_run_split(context, data, "val", params, mean)
    for split in (train, val):
        require_same_images(context.ranks, split)
    wrong = difference(train.images.class_names, val.images.class_names, "val")
    if wrong:
        raise InvalidData(f"train and val have different classes: {wrong}")
    steps = total_steps(context.recipe, params, len(train.images))
    images = images_of_statistics(params, context.ranks)
    check_class_count(params, train.images)
    fingerprints = {"train": train.fingerprint, "val": val.fingerprint}
    initial = begin(context, fingerprints)
    state, names = initial.state, initial.class_names
    if images == 1:
        require_two_values(state.network, context.ranks, params)
    choice = choose(
        context,
        state,
        classes=len(names),
        saved=state.execution if initial.resumed_from else None,
    )
    state.execution = choice.execution
    started = {
        "total_steps": steps,
        "steps_per_epoch": batches_per_epoch(len(train.images), params.batch_size),
        "resumed_from": initial.resumed_from,
        "step": state.step,
        "data": [train.sentence, val.sentence],
        "splits": [train.counts.model_dump(), val.counts.model_dump()],
        "execution": choice.sentence,
    }
    sentences = (train.sentence, val.sentence, choice.sentence)
    line = f"started at step {state.step}/{steps}; {'; '.join(sentences)}"
    context.events.report("started", started, line)
    scale = scale_sentence(params)
    if scale is not None:
        context.events.note(scale)
    publisher = CheckpointPublisher(
        context,
        state,
        class_names=names,
        parent=initial.parent,
        data=RunData(splits=fingerprints, classes_matched_by=initial.classes_matched_by),
        mean=mean,
    )
    in_order = [in_class_order(split.images, names) for split in (train, val)]
    result = Trainer(context, state, publisher, *in_order).run()
    matched_by = initial.classes_matched_by
    return result if matched_by is None else result | {"classes_matched_by": matched_by}

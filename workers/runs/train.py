"""A training, from fresh weights, given weights, or the state in which it was interrupted."""

from typing import Any

from workers.data.classes import difference, in_class_order
from workers.data.errors import InvalidData
from workers.recipes.params import RecipeParams
from workers.runs.datasets import check_class_count, images_of
from workers.training.checkpoint_publisher import CheckpointPublisher
from workers.training.distributed import Ranks
from workers.training.initial_state import begin
from workers.training.preprocessing import mean_to_train_with
from workers.training.run_context import RunContext
from workers.training.trainer import Trainer, total_steps
from workers.training.weights import note_match

_STRIDE = 32


def run(context: RunContext) -> dict[str, Any]:
    """Train to the end and give the result; raises NonFiniteLoss, Stopped, InvalidData."""
    params, data = context.params, context.claim.job_spec.data
    mean = mean_to_train_with(context.assignment, params)
    summaries: list[str] = []
    train = images_of(context, data, "train", params, mean, summaries)
    val = images_of(context, data, "val", params, mean, summaries)
    wrong = difference(train.class_names, val.class_names, "val")
    if wrong:
        raise InvalidData(f"train and val have different classes: {wrong}")
    steps = total_steps(context.recipe, params, len(train))
    _check_share(params, context.ranks)
    check_class_count(params, train)
    initial = begin(context, train.class_names)
    state, order = initial.state, initial.class_order
    names = train.class_names if order is None else order.names
    started = {
        "total_steps": steps,
        "resumed_from": initial.resumed_from,
        "step": state.step,
        "data": summaries,
    }
    line = f"started at step {state.step}/{steps}; {'; '.join(summaries)}"
    context.events.report("started", started, line)
    if order is not None:
        note_match(context.events, order)
    publisher = CheckpointPublisher(
        context, state, class_names=names, parent=initial.parent, mean=mean
    )
    train, val = (in_class_order(images, names) for images in (train, val))
    result = Trainer(context, state, publisher, train, val).run()
    return result if order is None else result | {"classes_matched_by": order.matched_by}


def _check_share(params: RecipeParams, ranks: Ranks) -> None:
    if ranks.share_of(params.batch_size) == 1 and params.image_size == _STRIDE:
        raise InvalidData(
            f"batch norm needs two values: use a batch_size of {2 * ranks.world_size} or more, "
            f"or an image_size of {2 * _STRIDE}"
        )

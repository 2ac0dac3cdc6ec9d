"""A training, from fresh weights, given weights, or the state in which it was interrupted."""

from typing import Any

from workers.data.errors import InvalidData
from workers.recipes.params import RecipeParams
from workers.runs.datasets import class_count_of, images_of
from workers.training.checkpoint_publisher import CheckpointPublisher
from workers.training.distributed import Ranks
from workers.training.initial_state import begin
from workers.training.preprocessing import mean_to_train_with
from workers.training.run_context import RunContext
from workers.training.trainer import Trainer, total_steps

_STRIDE = 32


def run(context: RunContext) -> dict[str, Any]:
    """Train to the end and give the result; raises NonFiniteLoss, Stopped, InvalidData."""
    params, data = context.params, context.claim.job_spec.data
    mean = mean_to_train_with(context.assignment, params)
    train = images_of(context, data, "train", params, mean)
    val = images_of(context, data, "val", params, mean)
    if train.class_names != val.class_names:
        raise InvalidData("the classes of val_dir are not those of train_dir")
    steps = total_steps(context.recipe, params, len(train))
    _check_share(params, context.ranks)
    initial = begin(context, class_count_of(params, train))
    state = initial.state
    started = {"total_steps": steps, "resumed_from": initial.resumed_from, "step": state.step}
    context.events.report("started", started, f"started at step {state.step}/{steps}")
    publisher = CheckpointPublisher(
        context, state, class_names=train.class_names, parent=initial.parent, mean=mean
    )
    return Trainer(context, state, publisher, train, val).run()


def _check_share(params: RecipeParams, ranks: Ranks) -> None:
    if ranks.share_of(params.batch_size) == 1 and params.image_size == _STRIDE:
        raise InvalidData(
            f"batch norm needs two values: use a batch_size of {2 * ranks.world_size} or more, "
            f"or an image_size of {2 * _STRIDE}"
        )

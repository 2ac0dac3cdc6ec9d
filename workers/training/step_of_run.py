"""The training step of one rank of a run."""

import torch
from torch import nn

from workers.training.distributed import in_parallel
from workers.training.execution import autocast, formatted, forward_of, prepare_for
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.step import TrainingStep


def training_step_of(context: RunContext, state: RunState) -> TrainingStep:
    """The step in the execution of the state; of several ranks, it averages their gradients.

    Raises InvalidData if the ranks cannot share the batch.
    """
    return TrainingStep(
        context.recipe,
        context.params,
        state.network,
        state.optimizer,
        state.execution,
        parallel=_parallel(context, state) if context.ranks.world_size > 1 else None,
        may_fall_back=context.params.compile == "auto",
        note=context.events.note,
    )


def _parallel(context: RunContext, state: RunState) -> nn.Module:
    ranks, params, execution = context.ranks, context.params, state.execution
    prepare_for(state.network, execution)
    forward = forward_of(state.network, state.device, execution, world_size=ranks.world_size)
    size = params.image_size
    example = torch.zeros(ranks.share_of(params.batch_size), 3, size, size)
    with autocast(state.device, execution):
        return in_parallel(forward, ranks, formatted(example, execution))

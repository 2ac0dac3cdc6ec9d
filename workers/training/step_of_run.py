"""The training step of one rank of a run, which all ranks compute in the same way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from workers.data.errors import InvalidData
from workers.recipes.params import RecipeParams
from workers.training.distributed import Ranks
from workers.training.execution import Execution, autocast, formatted, forward_of, prepare_for
from workers.training.fitting_batch import call_within_memory
from workers.training.gradient_averaging import average_before_steps, blank_pass, in_parallel
from workers.training.run_context import RunContext
from workers.training.state import RunState
from workers.training.step import TrainingStep
from workers.training.synchronised_batch_norm import is_synchronised, synchronise

_NOTE_SECONDS = 300.0
_MOST_NOTES = 12


class NotCompiled(InvalidData):
    """`torch.compile` refused the network on this worker."""


def training_step_of(context: RunContext, state: RunState) -> TrainingStep:
    """The step in the execution of the state; of several ranks, it averages their gradients.

    Batch norm is synchronised, in place, where the parameters say so. Where the network does not
    compile on any of the ranks, all of them are eager under compile
    auto, and so is the execution of the state. Raises InvalidData if the ranks cannot share the
    batch, NotCompiled under compile on, BatchTooLarge.
    """
    params, ranks = context.params, context.ranks
    if is_synchronised(params, ranks):
        synchronise(state.network, ranks)
    example = _example(params, state, ranks)
    forward = call_within_memory(
        lambda: _forward(context, state, example), state.network, example, ranks.world_size
    )
    average_before_steps(state.optimizer, state.network, ranks)
    return TrainingStep(
        context.recipe,
        params,
        state.network,
        state.optimizer,
        state.execution,
        forward=forward,
        note=context.events.note,
    )


def forward_of_rank(
    network: nn.Module, execution: Execution, ranks: Ranks, parts: int
) -> nn.Module:
    """What a rank's step calls: the network as the execution has it, in parallel with the others.

    The network is laid out in place. Nothing is compiled before the first call. A step is computed
    in so many parts.
    """
    prepare_for(network, execution)
    world_size = ranks.world_size
    forward = forward_of(network, ranks.device, execution, world_size=world_size, parts=parts)
    return in_parallel(forward, ranks)


def _forward(context: RunContext, state: RunState, example: Tensor) -> nn.Module:
    ranks, execution, parts = context.ranks, state.execution, context.params.accumulate
    if state.step >= context.params.total_iters:
        # The recalibration of batch norm calls the network itself.
        execution = replace(execution, compiled=False)
    forward = forward_of_rank(state.network, execution, ranks, parts)
    if execution.compiled:
        # The notes go on until the last rank has compiled.
        with _notes_of_waiting(context.events.note), ranks.apart():
            problem = _compile_problem(forward, state, example)
        problems = ranks.gathered(problem or "")
        first = next((each for each in problems if each), None)
        if first is not None:
            _fall_back(context, state, first)
            # Its hooks at the weights go with it, before another one sets its own.
            del forward
            forward = forward_of_rank(state.network, state.execution, ranks, parts)
    if ranks.world_size > 1:
        with autocast(state.device, state.execution):
            blank_pass(forward, state.network, formatted(example, state.execution))
    return forward


def _fall_back(context: RunContext, state: RunState, problem: str) -> None:
    if context.params.compile != "auto":
        raise NotCompiled(f"the network does not compile here: {problem}; compile off avoids it")
    context.events.note(
        f"the network does not compile here: {problem}; the run goes on eager, "
        "and not exactly where it was compiled"
    )
    state.execution = replace(state.execution, compiled=False)


def _compile_problem(forward: nn.Module, state: RunState, example: Tensor) -> str | None:
    """Why forward or backward does not compile on this rank, found without the other ranks."""
    with ExitStack() as alone:
        if isinstance(forward, DistributedDataParallel):
            alone.enter_context(forward.no_sync())
        alone.enter_context(autocast(state.device, state.execution))
        try:
            # A backward is compiled when it is first called.
            blank_pass(forward, state.network, formatted(example, state.execution))
        except Exception as error:
            if not is_of_compiler(error):
                raise
            return first_line(error)
    return None


def is_of_compiler(error: Exception) -> bool:
    """Whether it is `torch.compile` that refused."""
    # Its import takes a second, and most runs are eager.
    from torch._dynamo.exc import TorchDynamoException

    return isinstance(error, TorchDynamoException)


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its type where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _example(params: RecipeParams, state: RunState, ranks: Ranks) -> Tensor:
    size, images = params.image_size, ranks.part_of(params.batch_size, params.accumulate)
    return torch.zeros(images, 3, size, size, device=state.device)


@contextmanager
def _notes_of_waiting(note: Callable[[str], None]) -> Iterator[None]:
    """Notes every five minutes of an hour that the network compiles: each is a sign of life."""
    ended = threading.Event()

    def write() -> None:
        for number in range(1, _MOST_NOTES + 1):
            if ended.wait(_NOTE_SECONDS):
                return
            note(f"the network compiles since {number * _NOTE_SECONDS / 60:.0f} minutes")

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

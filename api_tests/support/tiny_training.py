"""Trainings of the tiny network, step by step, and as a plug-in that other processes find."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import torch

from api_tests.support.tiny_network import BATCH, CLASSES, SIZE, TINY, batch
from workers.recipes.params import RecipeParams
from workers.training.distributed import Ranks
from workers.training.execution import ORIGINAL, Execution
from workers.training.state import RunState
from workers.training.step import TrainingStep

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CPU = torch.device("cpu")
ALONE = Ranks(rank=0, world_size=1, device=CPU)
PARAMS = RecipeParams(
    total_iters=20, batch_size=BATCH, image_size=SIZE, learning_rate=0.1, dropout=0.2
)
CHANNELS_LAST = Execution(memory_format="channels_last", fused=True)
COMPILED = Execution(memory_format="channels_last", compiled=True, fused=True)
A_DAY = {"total_iters": 1_000_000}
"""Parameters of a run that takes a day at the pace of `ticking`."""
_PLUGIN = "tiny_plugin-1.dist-info"


def tiny_state(
    execution: Execution = ORIGINAL, seed: int = 1, params: RecipeParams = PARAMS
) -> RunState:
    """Fresh weights of a seed, on the CPU."""
    torch.manual_seed(seed)
    network = TINY.build("searched", CLASSES, params)
    return RunState(network, TINY.optimizer_of(network, PARAMS), CPU, execution=execution)


def tiny_step(state: RunState, **options: Any) -> TrainingStep:
    """A step in the state's execution."""
    return TrainingStep(TINY, PARAMS, state.network, state.optimizer, state.execution, **options)


def tiny_losses(state: RunState, until: int) -> list[float]:
    """The losses of the steps that the state lacks until then."""
    step, losses = tiny_step(state), []
    while state.step < until:
        loss, _ = step.train(state.step + 1, *batch(state.step))
        state.step += 1
        losses.append(loss.item())
    return losses


def ticking(step: float = 0.1) -> Callable[[], float]:
    """A clock that goes on by so many seconds whenever it is read."""
    ticks = count()
    return lambda: next(ticks) * step


def tiny_plugin(folder: Path, recipe: str = "api_tests.support.tiny_network:TINY") -> None:
    """An installed package, for processes that import from the folder, with the tiny recipe."""
    package = folder / _PLUGIN
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-plugin\nVersion: 1\n")
    (package / "entry_points.txt").write_text(f"[trainyard.recipes]\ntiny = {recipe}\n")

"""Measuring the executions of a step: it touches nothing of the run, and is kept by what it was."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from api_tests.support.tiny_network import BATCH, CLASSES, TINY
from api_tests.support.tiny_training import (
    ALONE,
    CHANNELS_LAST,
    CPU,
    PARAMS,
    tiny_losses,
    tiny_state,
)
from workers.training.calibration import Workload, images_to_measure, measure
from workers.training.execution import ORIGINAL, Execution
from workers.training.state import RunState

EAGER = [ORIGINAL, CHANNELS_LAST, Execution("bf16", "channels_last", fused=True)]


def _bits(state: RunState) -> dict[str, bytes]:
    named = {f"model.{name}": value for name, value in state.network.state_dict().items()}
    named |= {f"optim.{name}": value for name, value in state.optimizer_tensors().items()}
    return {name: value.contiguous().numpy().tobytes() for name, value in named.items()}


def test_measuring_leaves_the_run_as_it_was() -> None:
    state = tiny_state(ORIGINAL)
    tiny_losses(state, 2)
    before, seen = _bits(state), []
    gradients = [p.grad.clone() for p in state.network.parameters() if p.grad is not None]
    python, numpy, drawn = (
        random.getstate(),
        np.random.get_state(legacy=False),
        torch.get_rng_state(),
    )
    workload = Workload(TINY, "searched", PARAMS, CLASSES)
    ticks = iter(range(1000))
    measured = measure(
        workload,
        state,
        EAGER,
        ALONE,
        images=BATCH,
        clock=lambda: float(next(ticks)),
        after_each=lambda: seen.append(1),
    )
    assert set(measured) == set(EAGER)
    assert len(seen) == len(EAGER)
    assert _bits(state) == before
    after = [p.grad for p in state.network.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(after, gradients, strict=True) if a is not None)
    assert random.getstate() == python
    assert str(np.random.get_state(legacy=False)) == str(numpy)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert state.network.training


@pytest.mark.parametrize(
    ("image_size", "share", "images"),
    [(224, 256, 16), (448, 256, 4), (2048, 16, 2), (64, 256, 196)],
)
def test_a_measured_step_takes_about_as_long_at_every_image_size(
    image_size: int, share: int, images: int
) -> None:
    assert images_to_measure(CPU, image_size, share) == images


def test_a_measurement_is_of_one_workload() -> None:
    workload = Workload(TINY, "searched", PARAMS, CLASSES)
    larger = PARAMS.model_copy(update={"batch_size": 2 * BATCH})
    others = [
        replace(workload, world_size=2),
        replace(workload, params=larger),
        # The same share of a batch, in a step that also averages gradients.
        replace(workload, params=larger, world_size=2),
        replace(workload, classes=CLASSES + 1),
    ]
    keys = {each.key(CPU) for each in [workload, *others]}
    assert len(keys) == 1 + len(others)

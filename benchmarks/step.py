"""A training step on the CPU: the original's loop, a plain torchvision loop, and ours."""

import os
import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch

from benchmarks.original_loop import OriginalLoop, original_network
from benchmarks.our_loop import DEFAULT, OurLoop
from benchmarks.reference_loop import ReferenceLoop
from benchmarks.report import Figure, Section
from benchmarks.turns import Timings, in_turn
from workers.recipes.table import recipe_named
from workers.training.execution import Execution

EAGER_GOAL, COMPILED_GOAL = 1.35, 1.55
ORIGINAL, EAGER, COMPILED, BF16 = "original loop", "ours", "ours, compiled", "ours, bf16"
REFERENCE, EAGER_V2 = "torchvision loop", "ours "
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Scale:
    """How much is measured: images a batch, their side, steps of each way, and by how many threads.

    `compiles` is whether the compiled way is measured, whose first step takes minutes.
    """

    batch: int = 32
    pixels: int = 224
    rounds: int = 8
    compiles: bool = True
    threads: int = os.cpu_count() or 1


def measure(scale: Scale = Scale()) -> Section:
    """All ways in turn, on one batch of noise; the compiled one where there is a compiler."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(scale.threads)
    torch.manual_seed(0)
    has_compiler = shutil.which(os.environ.get("CXX", "g++")) is not None
    timings = in_turn(_ways(scale, compiles=scale.compiles and has_compiler), scale.rounds)
    rows = tuple(_row(name, timings, scale.batch) for name in timings)
    for row in rows:
        sys.stderr.write(f"{' | '.join(row)}\n")
    return Section(
        title="A training step on the CPU",
        says=(
            f"Medians of {scale.rounds} steps each, in turn, on a batch of {scale.batch} images of "
            f"{scale.pixels} px; {torch.get_num_threads()} threads. *Ours* is fp32, channels_last "
            "with SGD in one kernel. The original's loop is written anew after its sources; the "
            "torchvision loop is its references' without what they add for many machines."
        ),
        columns=("network", "loop", "a step", "CPU", "images/s", "speed"),
        rows=rows,
        figures=_figures(timings),
        notes=() if COMPILED in timings else ("Nothing was compiled: there is no C++ compiler.",),
    )


def _ways(scale: Scale, *, compiles: bool) -> dict[str, Callable[[], object]]:
    params = recipe_named("oneshot").params(learning_rate=0.01)
    images = torch.rand(scale.batch, 3, scale.pixels, scale.pixels) * 255
    labels = torch.randint(0, 1000, (scale.batch,))
    original = original_network("oneshot", "searched", params)
    ways: dict[str, OriginalLoop | OurLoop | ReferenceLoop] = {
        ORIGINAL: OriginalLoop(original, params, _CPU),
        EAGER: _ours("oneshot", "searched"),
    }
    if compiles:
        ways[COMPILED] = _ours("oneshot", "searched", replace(DEFAULT, compiled=True))
    ways |= {
        BF16: _ours("oneshot", "searched", replace(DEFAULT, precision="bf16")),
        REFERENCE: ReferenceLoop(_CPU),
        EAGER_V2: _ours("shufflenet_v2", "1.0x"),
    }
    return {name: partial(loop.step, images, labels) for name, loop in ways.items()}


def _ours(recipe: str, variant: str, mode: Execution = DEFAULT) -> OurLoop:
    params = recipe_named(recipe).params(learning_rate=0.01)
    return OurLoop(recipe, variant, params, _CPU, mode)


def _figures(timings: dict[str, Timings]) -> tuple[Figure, ...]:
    goals = {
        "eager": (EAGER, ORIGINAL, EAGER_GOAL),
        "compiled": (COMPILED, ORIGINAL, COMPILED_GOAL),
        "bf16": (BF16, ORIGINAL, None),
        "torchvision": (EAGER_V2, REFERENCE, None),
    }
    whats = {
        "eager": "OneShot, ours eager, speed to that of the original loop",
        "compiled": "OneShot, ours compiled, speed to that of the original loop",
        "bf16": "OneShot, ours in bf16, speed to that of the original loop",
        "torchvision": "ShuffleNetV2 1.0x, ours eager, speed to that of the torchvision loop",
    }
    return tuple(
        figure
        for key, (way, against, goal) in goals.items()
        if way in timings
        for figure in (
            Figure(key, whats[key], _speed(timings, way, against), "higher", goal=goal),
            Figure(
                f"{key}.cpu",
                f"{whats[key]}, by CPU time",
                timings[against].cpu_seconds / timings[way].cpu_seconds,
                "higher",
            ),
        )
    )


def _speed(timings: dict[str, Timings], way: str, against: str) -> float:
    return timings[against].seconds / timings[way].seconds


def _row(name: str, timings: dict[str, Timings], batch: int) -> tuple[str, ...]:
    is_v2 = name in (REFERENCE, EAGER_V2)
    own, against = timings[name], REFERENCE if is_v2 else ORIGINAL
    return (
        "ShuffleNetV2 1.0x" if is_v2 else "OneShot",
        name.strip(),
        f"{own.seconds * 1e3:.0f} ms",
        f"{own.cpu_seconds * 1e3:.0f} ms",
        f"{batch / own.seconds:.1f}",
        f"{_speed(timings, name, against):.2f}",
    )

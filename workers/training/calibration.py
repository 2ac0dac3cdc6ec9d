"""Measures how long a training step takes in each execution, without touching the run."""

import gc
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch

from workers.cache_folder import cache_folder
from workers.checkpoints.rng import restore_rng, rng_state
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.training.distributed import Ranks
from workers.training.execution import Execution
from workers.training.state import RunState
from workers.training.step import TrainingStep
from workers.training.step_of_run import forward_of_rank

_MOST_PIXELS = {"cpu": 16 * 224**2, "cuda": 256 * 224**2}
"""Of a batch that is measured: a larger one takes as long for each image."""
_STEPS = 3
_MOST_SECONDS = 2.0
"""After so long the steps of an execution are enough, if there was one beside the first."""

Measurements = dict[Execution, float]
"""Seconds for an image, by execution."""


@dataclass(frozen=True)
class Workload:
    """What is measured: steps of a rank of `world_size`, in a network of `classes` classes."""

    recipe: Recipe
    variant: str
    params: RecipeParams
    classes: int
    world_size: int = 1

    @property
    def share(self) -> int:
        """How many images of a batch are a rank's."""
        return self.params.batch_size // self.world_size

    @property
    def part(self) -> int:
        """How many images a rank computes at once."""
        return self.share // self.params.accumulate

    def key(self, device: torch.device) -> str:
        """A digest of everything that the time of a step depends on."""
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()
        parts = [self.recipe.name, self.recipe.network, self.variant, self.classes]
        # A compiled step is one of exactly so many images, and of more ranks it is another one.
        parts += [self.part, self.world_size, self.params.image_size, self.params.exact, name]
        parts += [torch.__version__, torch.get_num_threads()]
        # In parts it has no CUDA graphs.
        parts += ["parts"] if self.params.accumulate > 1 else []
        return hashlib.sha256(json.dumps(parts, allow_nan=False).encode()).hexdigest()


def images_to_measure(device: torch.device, image_size: int, part: int) -> int:
    """How many of the images that a rank computes at once a measured step has: as few as tell."""
    # Batch norm needs two.
    return max(min(part, _MOST_PIXELS[device.type] // image_size**2), 2)


def measure(
    workload: Workload,
    state: RunState,
    executions: Iterable[Execution],
    ranks: Ranks,
    *,
    images: int,
    clock: Callable[[], float],
    after_each: Callable[[], None],
) -> Measurements:
    """Measure steps of one of `ranks` on so many random images, in copies of the state's network.

    An execution that the device's memory cannot hold is left out. Weights, statistics, gradients
    and random generators of the run are afterwards what they were. `clock` is monotonic, in
    seconds.
    """
    generators = rng_state(state.device)
    measured: Measurements = {}
    try:
        for execution in executions:
            with suppress(torch.OutOfMemoryError):
                measured[execution] = _seconds_an_image(
                    workload, state, execution, ranks, images, clock
                )
            gc.collect()
            if state.device.type == "cuda":
                torch.cuda.empty_cache()
            after_each()
    finally:
        restore_rng(generators, state.device)
    return measured


def file_of(workload: Workload, device: torch.device, ending: str = "json") -> Path | None:
    """The file of a workload on this worker's own disk; None where it has no such folder."""
    folder = cache_folder("calibrations")
    return None if folder is None else folder / f"{workload.key(device)}.{ending}"


def read_measurements(workload: Workload, device: torch.device) -> Measurements:
    """What an earlier run on this worker measured of the same; empty if there is nothing."""
    path = file_of(workload, device)
    try:
        entries = [] if path is None else json.loads(path.read_text())
        return {Execution.from_json(each["execution"]): float(each["seconds"]) for each in entries}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def write_measurements(workload: Workload, device: torch.device, measured: Measurements) -> None:
    """Keep the measurements on the worker's disk; a disk that refuses costs the next run alone."""
    path = file_of(workload, device)
    if path is None:
        return
    entries = [{"execution": e.as_json(), "seconds": seconds} for e, seconds in measured.items()]
    staged = path.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        staged.write_text(json.dumps(entries, allow_nan=False))
        staged.replace(path)


def _seconds_an_image(
    workload: Workload,
    state: RunState,
    execution: Execution,
    ranks: Ranks,
    images: int,
    clock: Callable[[], float],
) -> float:
    network = deepcopy(state.network)
    network.zero_grad()
    optimizer = workload.recipe.optimizer_of(network, workload.params)
    forward = forward_of_rank(network, execution, ranks, workload.params.accumulate)
    # One part is measured: the next ones take as long.
    params = workload.params.model_copy(update={"accumulate": 1})
    step = TrainingStep(workload.recipe, params, network, optimizer, execution, forward=forward)
    generator = torch.Generator().manual_seed(0)
    size = workload.params.image_size
    inputs = torch.rand(images, 3, size, size, generator=generator).to(state.device)
    labels = torch.randint(workload.classes, (images,), generator=generator)
    labels = labels.to(state.device)
    began, seconds = clock(), []
    for number in range(_STEPS + 1):
        step_began = clock()
        step.train(1, inputs, labels)
        if state.device.type == "cuda":
            torch.cuda.synchronize(state.device)
        # The first one also allocates, compiles, and lets cuDNN choose.
        if number:
            seconds.append(clock() - step_began)
        if seconds and clock() - began > _MOST_SECONDS:
            break
    return min(seconds) / images


def _cpu_name() -> str:
    names: list[str] = []
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else ''} {torch.backends.cpu.get_cpu_capability()}"

"""How long a save holds up training: ours, torch.save + fsync + rename, and DCP's async_save.

The three take turns in one process, on the same network with its momentum and the same disk; each
save has ended before the next begins, so that what is timed is the call alone.
"""

import gc
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict_saver import async_save

from api_tests.support.checkpoint_folders import manifest_of
from api_tests.support.specs import complete_spec
from benchmarks.report import Figure, Section
from workers.checkpoints.optimizer_state import OptimizerState
from workers.checkpoints.snapshot import MODEL_FILE, OPTIMIZER_FILE, CheckpointWriter
from workers.recipes import build
from workers.recipes.loss import training_loss
from workers.recipes.optimizer import sgd
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named

NETWORKS = {"OneShot": ("oneshot", "searched", 40), "Large": ("shufflenet_v2_large", None, 6)}
"""Recipe, variant, and how many saves of each way are timed."""
TORCH_SAVE_LIMIT, DCP_LIMIT = 1 / 5, 1 / 2.5
_BATCH, _PIXELS = 4, 64


@dataclass
class Training:
    """A network that trains on noise, with all its momentum."""

    network: nn.Module
    optimizer: torch.optim.SGD
    params: RecipeParams
    state: dict[str, Any] = field(default_factory=dict)

    def step(self) -> None:
        """One iteration."""
        labels = torch.randint(0, 1000, (_BATCH,))
        outputs = self.network(torch.randn(_BATCH, 3, _PIXELS, _PIXELS))
        loss = training_loss(outputs, labels, self.params)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def model(self) -> dict[str, Tensor]:
        """Parameters and buffers."""
        return self.network.state_dict()

    def momentum(self) -> dict[str, Tensor]:
        """By parameter."""
        return OptimizerState(self.network, self.optimizer).tensors()


class Way(Protocol):
    """One way to save."""

    def save(self, training: Training, number: int) -> threading.Event:
        """Save, and give what is set once the bytes are durable."""

    def close(self) -> None:
        """End what it began."""


class Ours:
    """A copy into memory that is there already, and a thread that writes, hashes and publishes."""

    def __init__(self, folder: Path, training: Training) -> None:
        self._durable = threading.Event()
        self._writer = CheckpointWriter(
            folder, on_published=lambda *_: self._durable.set(), on_failed=self._failed
        )
        self._writer.reserve(MODEL_FILE, training.model())
        self._writer.reserve(OPTIMIZER_FILE, training.momentum())

    def save(self, training: Training, number: int) -> threading.Event:
        """As the trainer does."""
        self._durable.clear()
        self._writer.save(manifest_of(number), training.model(), training.momentum(), [{}])
        return self._durable

    def close(self) -> None:
        """Wait for the thread."""
        self._writer.close()

    def _failed(self, error: Exception) -> None:
        raise error


class TorchSave:
    """What careful people write by hand."""

    def __init__(self, folder: Path, _: Training) -> None:
        self._folder = folder

    def save(self, training: Training, number: int) -> threading.Event:
        """Write beside, fsync, rename, fsync the folder."""
        target = self._folder / f"{number}.pth"
        content = {"model": training.model(), "momentum": training.momentum()}
        with target.with_suffix(".tmp").open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        target.with_suffix(".tmp").rename(target)
        handle = os.open(self._folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        durable = threading.Event()
        durable.set()
        return durable

    def close(self) -> None:
        """Nothing is left."""


class Dcp:
    """torch.distributed.checkpoint with its own copy and thread; it fsyncs, and has no digest."""

    def __init__(self, folder: Path, _: Training) -> None:
        self._folder = folder

    def save(self, training: Training, number: int) -> threading.Event:
        """As its documentation says."""
        content = {"model": training.model(), "momentum": training.momentum()}
        durable = threading.Event()
        saved: Any = async_save(content, checkpoint_id=self._folder / str(number), no_dist=True)

        def done(future: Any) -> None:
            future.result()
            durable.set()

        saved.add_done_callback(done)
        return durable

    def close(self) -> None:
        """Nothing is left."""


WAYS: dict[str, Callable[[Path, Training], Way]] = {
    "ours": Ours,
    "torch.save + fsync + rename": TorchSave,
    "DCP async_save": Dcp,
}


def measure(networks: Mapping[str, tuple[str, str | None, int]] = NETWORKS) -> Section:
    """Each network, all ways."""
    warnings.filterwarnings("ignore")
    # A copy by many threads waits for the slowest core, which a neighbour may have.
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows: list[tuple[str, ...]] = []
    figures: list[Figure] = []
    for name, (recipe, variant, publisher) in networks.items():
        training = _training(recipe, variant)
        found = _timed(training, publisher)
        tensors = [*training.model().values(), *training.momentum().values()]
        megabytes = sum(tensor.nbytes for tensor in tensors) / 1e6
        for way, (stall, whole, during) in found.items():
            during_shown = f"{during:.2f}" if during else "it stands still"
            rows.append((f"{name}, {megabytes:.0f} MB", way, _ms(stall), _ms(whole), during_shown))
            sys.stderr.write(f"{' '.join(rows[-1])}\n")
        ours, by_hand, library = (found[way][0] for way in WAYS)
        figures += [
            Figure(
                key=f"{name.lower()}.to_{key}",
                what=f"{name}, stall to that of {rival}",
                value=ours / theirs,
                better="lower",
                goal=limit,
            )
            for key, rival, theirs, limit in (
                ("torch_save", "torch.save", by_hand, TORCH_SAVE_LIMIT),
                ("dcp", "DCP", library, DCP_LIMIT),
            )
        ]
        del training
        gc.collect()
    return Section(
        title="What a save costs the training",
        says=(
            "Medians. *Stall* is how long the training waits, *durable* how long until the bytes "
            f"are on disk, *steps* a training step ({_BATCH} images of {_PIXELS} px) during the "
            "write to one without. One thread computes. Ours is hashed on the way, the others are "
            "not."
        ),
        columns=("network and momentum", "way", "stall", "durable", "steps"),
        rows=tuple(rows),
        figures=tuple(figures),
    )


def _training(recipe: str, variant: str | None) -> Training:
    spec = complete_spec(
        {"kind": "train", "recipe": recipe, "variant": variant, "data": {"dataset": "digits"}}
    )
    assert spec.variant is not None
    network = build(recipe, spec.variant).train()
    params = recipe_named(recipe).params.model_validate(spec.params)
    training = Training(network, sgd(network, params), params)
    training.step()
    return training


def _timed(training: Training, publisher: int) -> dict[str, tuple[float, float, float]]:
    """Way -> seconds of stall, seconds until durable, a step during the write to one without."""
    folder = Path(tempfile.mkdtemp(prefix="stall-"))
    ways = {
        name: make(_made(folder / str(n)), training) for n, (name, make) in enumerate(WAYS.items())
    }
    stalls: dict[str, list[float]] = {name: [] for name in WAYS}
    wholes: dict[str, list[float]] = {name: [] for name in WAYS}
    during: dict[str, list[float]] = {name: [] for name in WAYS}
    idle: list[float] = []
    try:
        # The first save of each way pays for imports and memory: it is not counted.
        for number in range(1, publisher + 2):
            idle += [_seconds(training.step) for _ in range(3)]
            for name, way in ways.items():
                training.step()
                began = time.perf_counter()
                durable = way.save(training, number)
                stall = time.perf_counter() - began
                steps = []
                while not durable.is_set():
                    # Every other save is left to write alone, so that `durable` is its own.
                    if number % 2:
                        steps.append(_seconds(training.step))
                    else:
                        durable.wait(60)
                if number > 1:
                    stalls[name].append(stall)
                    # A step that outlasts the write was not beside it all the time.
                    during[name] += steps[:-1] or steps
                    if not number % 2:
                        wholes[name].append(time.perf_counter() - began)
                _clean(folder)
    finally:
        for way in ways.values():
            way.close()
        shutil.rmtree(folder, ignore_errors=True)
    alone = median(idle[3:])
    return {
        name: (
            median(stalls[name]),
            median(wholes[name]),
            median(during[name]) / alone if during[name] else 0.0,
        )
        for name in WAYS
    }


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _clean(folder: Path) -> None:
    for way in folder.iterdir():
        for saved in way.iterdir():
            shutil.rmtree(saved) if saved.is_dir() else saved.unlink()


def _seconds(what: Callable[[], None]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"

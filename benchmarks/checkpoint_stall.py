"""How long a save holds up training: ours, torch.save + fsync + rename, and DCP's async_save.

The three take turns in one process, on the same network with its momentum and the same disk; each
save has ended before the next begins, so that what is timed is the call alone.
"""

import gc
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import torch

from benchmarks.noise_training import BATCH, PIXELS, Training, training_of
from benchmarks.report import Figure, Section
from benchmarks.save_ways import WAYS

NETWORKS = {"OneShot": ("oneshot", "searched", 40), "Large": ("shufflenet_v2_large", None, 6)}
"""Recipe, variant, and how many saves of each way are timed."""
TORCH_SAVE_LIMIT, DCP_LIMIT = 1 / 5, 1 / 2.5


def measure(networks: Mapping[str, tuple[str, str | None, int]] = NETWORKS) -> Section:
    """Each network, all ways."""
    warnings.filterwarnings("ignore")
    # A copy by many threads waits for the slowest core, which a neighbour may have.
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows: list[tuple[str, ...]] = []
    figures: list[Figure] = []
    for name, (recipe, variant, publisher) in networks.items():
        training = training_of(recipe, variant)
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
            f"are on disk, *steps* a training step ({BATCH} images of {PIXELS} px) during the "
            "write to one without. One thread computes. Ours is hashed on the way, the others are "
            "not."
        ),
        columns=("network and momentum", "way", "stall", "durable", "steps"),
        rows=tuple(rows),
        figures=tuple(figures),
    )


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

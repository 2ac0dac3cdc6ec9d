"""Training on JPEG files on the CPU, from the file to the update: the original's loop, and ours."""

import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from benchmarks.original_input import original_loader
from benchmarks.original_loop import OriginalLoop, original_network
from benchmarks.our_loop import OurLoop
from benchmarks.photos import write_photos
from benchmarks.report import Figure, Section
from service.contract.data_spec import DataSpec
from workers.data.batch_transform import transform_of
from workers.data.images import SplitRequest
from workers.data.loader import train_batches
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of
from workers.recipes.table import recipe_named

ORIGINAL, OURS = "original loop", "ours"
_CPU = torch.device("cpu")
_Batches = Iterator[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Scale:
    """How much is measured: images a batch, their side, steps a run, runs a way, threads."""

    batch: int = 32
    pixels: int = 224
    steps: int = 5
    rounds: int = 3
    threads: int = os.cpu_count() or 1


def measure(scale: Scale = Scale()) -> Section:
    """Runs of each loop in turn, from files and on one batch kept in memory."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(scale.threads)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory(prefix="photos-") as folder:
        # No run comes to the end of its epoch.
        images = scale.batch * (scale.steps + 4)
        for name in ("a", "b"):
            write_photos(Path(folder, "train", name), images // 2, (500, 375))
        rates = _rates(Path(folder), scale)
    rows = tuple(
        (loop, f"{files:.1f}", f"{synthetic:.1f}", f"{files / synthetic:.2f}")
        for loop, (files, synthetic) in rates.items()
    )
    for row in rows:
        sys.stderr.write(f"{' | '.join(row)}\n")
    (original, _), (ours, synthetic) = rates[ORIGINAL], rates[OURS]
    return Section(
        title="Training on JPEG files on the CPU",
        says=(
            f"OneShot, batches of {scale.batch} images of {scale.pixels} px from files of "
            f"500 x 375; medians of {scale.rounds} runs of {scale.steps} steps. Each loop has one "
            f"process that loads, beside {torch.get_num_threads()} threads that compute. On "
            "synthetic data the same steps have one batch in memory."
        ),
        columns=("loop", "images/s", "on synthetic data", "share"),
        rows=rows,
        figures=(
            Figure("speed", "ours, speed to that of the original loop", ours / original, "higher"),
            Figure(
                "share", "ours, share of the rate on synthetic data", ours / synthetic, "higher"
            ),
            Figure("images", "ours from JPEG files", ours, "higher", unit="images/s"),
        ),
    )


def _rates(folder: Path, scale: Scale) -> dict[str, tuple[float, float]]:
    """Loop -> images a second, from files and on synthetic data."""
    params = recipe_named("oneshot").params(learning_rate=0.01)
    original = OriginalLoop(original_network("oneshot", "searched", params), params, _CPU)
    ours = OurLoop("oneshot", "searched", params, _CPU)
    images = torch.rand(scale.batch, 3, scale.pixels, scale.pixels) * 255
    kept = (images, torch.zeros(scale.batch, dtype=torch.int64))
    runs: dict[tuple[str, bool], Callable[[], float]] = {
        (ORIGINAL, True): lambda: _rate(original, _original_batches(folder, scale), scale),
        (OURS, True): lambda: _rate(ours, _our_batches(folder, scale), scale),
        (ORIGINAL, False): lambda: _rate(original, repeat(kept), scale),
        (OURS, False): lambda: _rate(ours, repeat(kept), scale),
    }
    rates: dict[tuple[str, bool], list[float]] = {name: [] for name in runs}
    for _ in range(scale.rounds):
        for name, run in runs.items():
            rates[name].append(run())
    return {
        loop: (median(rates[loop, True]), median(rates[loop, False])) for loop in (ORIGINAL, OURS)
    }


def _rate(loop: OriginalLoop | OurLoop, batches: _Batches, scale: Scale) -> float:
    # What a loader has ready from its start is used up before the clock starts.
    for _ in range(2):
        loop.step(*next(batches))
    began = time.perf_counter()
    for _ in range(scale.steps):
        loop.step(*next(batches))
    return scale.steps * scale.batch / (time.perf_counter() - began)


def _original_batches(folder: Path, scale: Scale) -> _Batches:
    size = {"batch_size": scale.batch, "size": scale.pixels}
    return iter(original_loader(folder / "train", pin_memory=False, **size))


def _our_batches(folder: Path, scale: Scale) -> _Batches:
    request = SplitRequest(
        split="train",
        image_size=scale.pixels,
        seed=0,
        preprocess=preprocess_of("bgr255", None),
        data_root=folder,
        remark=lambda _: None,
    )
    source = open_split(DataSpec(train_dir="train", val_dir="train"), request)
    to_inputs = transform_of(source)
    batches = train_batches(
        source, seed=0, start_step=0, batch_size=scale.batch, num_workers=1, augment_on="loader"
    )
    for batch in batches:
        yield to_inputs(batch, torch.channels_last)

"""Training on a device: the original's loop, ours eager and tuned, on synthetic and real data."""

import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import torch

from api_tests.support.jpegs import decode_on_cpu
from benchmarks.gpu.device import Scale, device, name_of, scale_of, settle
from benchmarks.gpu.image_folders import PACK, write_pack, write_photos
from benchmarks.gpu.our_steps import RECIPE, VARIANT, OurSteps, params_of, synthetic, tuned_for
from benchmarks.original_input import original_loader
from benchmarks.original_loop import OriginalLoop, original_network
from benchmarks.report import Figure, Section
from service.contract.data_spec import DataSpec
from workers.cpu_cores import available_cores
from workers.data.augmentation import AugmentOn
from workers.data.batch_transform import transform_of
from workers.data.errors import InvalidData
from workers.data.images import EncodedImages, ImageDataset, SplitRequest
from workers.data.jpeg_decoder import JpegDecoder, nvjpeg
from workers.data.loader import encoded_train_batches, train_batches
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of
from workers.training.device_inputs import is_pinned_for
from workers.training.execution import Execution
from workers.training.loader_processes import loader_processes

END_TO_END_GOAL, SHARE_GOAL = 10.0, 0.9
_WARM_STEPS = 3
SYNTHETIC, FILES, PACKED = "synthetic", "JPEG files", "a pack"
DECODED = "JPEG files, decoded on the device"
ORIGINAL, EAGER, TUNED = "original loop", "ours, eager", "ours, tuned"
Rates = dict[tuple[str, str], float]


def measure() -> Section:
    """Every loop on every kind of data, one after the other."""
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    target = device()
    scale = scale_of(target)
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory(prefix="photos-") as folder:
        root = Path(folder)
        write_photos(root, scale)
        write_pack(root, available_cores())
        rates = dict(_measured(root, target, scale))
    original = rates[ORIGINAL, FILES]
    rows = tuple(
        (loop, data, f"{rate:.0f}", f"{rate / original:.2f}")
        for (loop, data), rate in rates.items()
    )
    return Section(
        title="Training on a device",
        says=(
            f"{name_of(target)}; OneShot, batches of {scale.batch} images of {scale.pixels} px. "
            "The original loop has one loader process, ours as many as `data_workers: auto` gives "
            f"of {available_cores()} cores. Files are JPEGs of 500 x 375. *Eager* is fp32, *tuned* "
            "bf16 autocast, channels_last and SGD in one kernel; both leave cuDNN free to choose "
            "its kernels. *Speed* is to the original loop on files. Decoding on the device is "
            "`decode_on: device`: nvJPEG."
        ),
        columns=("loop", "data", "images/s", "speed"),
        rows=rows,
        figures=_figures(rates),
        notes=() if (TUNED, DECODED) in rates else ("This torchvision has no nvJPEG.",),
    )


def _measured(
    root: Path, target: torch.device, scale: Scale
) -> Iterator[tuple[tuple[str, str], float]]:
    ways: dict[tuple[str, str], Callable[[], float]] = {
        (ORIGINAL, SYNTHETIC): lambda: _original(None, target, scale),
        (ORIGINAL, FILES): lambda: _original(root, target, scale),
        (EAGER, SYNTHETIC): lambda: _synthetic(Execution(), target, scale),
        (TUNED, SYNTHETIC): lambda: _synthetic(tuned_for(target), target, scale),
        (TUNED, FILES): lambda: _ours(_opened(root, FILES, scale), target, scale),
        (TUNED, DECODED): lambda: _decoding(_opened(root, FILES, scale), target, scale),
        (TUNED, PACKED): lambda: _ours(_opened(root, PACKED, scale), target, scale),
    }
    for name, rate in ways.items():
        try:
            yield name, rate()
        except InvalidData as error:
            sys.stderr.write(f"{error}\n")
        sys.stderr.write(f"{' | '.join(name)}\n")


def _original(root: Path | None, target: torch.device, scale: Scale) -> float:
    params = params_of(scale)
    loop = OriginalLoop(original_network(RECIPE, VARIANT, params), params, target)
    images = torch.rand(scale.batch, 3, scale.pixels, scale.pixels) * 255
    batches: Iterator[Any] = repeat((images, torch.zeros(scale.batch, dtype=torch.int64)))
    if root is not None:
        batches = _original_batches(root / "train", target, scale)
    return _rate(lambda batch: loop.step(*batch), batches, target, scale)


def _original_batches(folder: Path, target: torch.device, scale: Scale) -> Iterator[Any]:
    while True:
        yield from original_loader(
            folder, batch_size=scale.batch, size=scale.pixels, pin_memory=target.type == "cuda"
        )


def _synthetic(execution: Execution, target: torch.device, scale: Scale) -> float:
    steps = OurSteps(target, scale, execution)
    return _rate(steps.step, repeat(synthetic(target, scale)), target, scale)


def _ours(images: ImageDataset, target: torch.device, scale: Scale) -> float:
    steps = OurSteps(target, scale, tuned_for(target))
    steps.use(transform_of(images))
    where: AugmentOn = "device" if target.type == "cuda" else "loader"
    batches = train_batches(images, augment_on=where, **_order(images, target, scale))
    return _rate(steps.step, batches, target, scale)


def _decoding(images: ImageDataset, target: torch.device, scale: Scale) -> float:
    assert isinstance(images, EncodedImages)
    decode = nvjpeg(target) if target.type == "cuda" else decode_on_cpu
    steps = OurSteps(target, scale, tuned_for(target))
    steps.use(transform_of(images), JpegDecoder(images, scale.pixels, target, decode))
    batches = encoded_train_batches(images, **_order(images, target, scale))
    return _rate(steps.step, batches, target, scale)


def _order(images: ImageDataset, target: torch.device, scale: Scale) -> dict[str, Any]:
    processes = loader_processes(params_of(scale), images, batch_size=scale.batch, world_size=1)
    return {
        "seed": 0,
        "start_step": 0,
        "batch_size": scale.batch,
        "num_workers": processes,
        "pinned": is_pinned_for(target),
    }


def _opened(root: Path, data: str, scale: Scale) -> ImageDataset:
    named: dict[str, Any] = {"train_dir": "train", "val_dir": "val"}
    spec = DataSpec(**(named if data == FILES else {"packed": PACK}))
    preprocess = preprocess_of("bgr255", None)
    return open_split(spec, SplitRequest("train", scale.pixels, 0, preprocess, root))


def _rate(
    step: Callable[[Any], object], batches: Iterator[Any], target: torch.device, scale: Scale
) -> float:
    """Images a second, after some steps that are not counted."""
    for _ in range(_WARM_STEPS):
        step(next(batches))
    settle(target)
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < scale.seconds:
        step(next(batches))
        steps += 1
    settle(target)
    return steps * scale.batch / (time.perf_counter() - began)


def _figures(rates: Rates) -> tuple[Figure, ...]:
    synthetic, files = rates[TUNED, SYNTHETIC], rates[TUNED, FILES]
    original = rates[ORIGINAL, FILES]
    return (
        Figure(
            "end_to_end",
            "ours tuned from JPEG files, speed to that of the original loop",
            files / original,
            "higher",
            goal=END_TO_END_GOAL,
        ),
        Figure(
            "share", "from JPEG files, share of the rate on synthetic data", files / synthetic,
            "higher", goal=SHARE_GOAL,
        ),
        Figure(
            "packed_share", "from a pack, share of the rate on synthetic data",
            rates[TUNED, PACKED] / synthetic, "higher",
        ),
        *_decoded_figures(rates),
        Figure(
            "eager", "ours eager on synthetic data, speed to that of the original loop",
            rates[EAGER, SYNTHETIC] / rates[ORIGINAL, SYNTHETIC], "higher",
        ),
    )  # fmt: skip


def _decoded_figures(rates: Rates) -> Iterator[Figure]:
    if (TUNED, DECODED) in rates:
        what = "JPEG files decoded on the device, speed to those that loaders decode"
        speed = rates[TUNED, DECODED] / rates[TUNED, FILES]
        yield Figure("decoded", what, speed, "higher")

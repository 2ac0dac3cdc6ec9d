"""CPU time of the input path for one image, inside a loader process, against the original's."""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from torch.utils.data import DataLoader, Dataset, default_collate
from torchvision.datasets import ImageFolder

from benchmarks.decoders import DECODERS, REDUCED_DECODERS
from benchmarks.original_input import original_eval_transform, original_transform
from benchmarks.photos import write_photos
from benchmarks.report import Figure, Section
from service.contract.data_spec import DataSpec
from workers.data.augmentation import augmented
from workers.data.batch_transform import transform_of
from workers.data.images import PixelImages, Split, SplitRequest
from workers.data.loader import batch_of
from workers.data.packs.builder import PackBuilder
from workers.data.packs.encoding import DEFAULT_STORAGE
from workers.data.packs.originals import Originals
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of

SIZE, BATCH = 224, 16
SMALL, LARGE = (500, 375), (4000, 3000)
_ROUNDS, _FEW = 24, 2
_Work = Callable[[], object]


def measure(rounds: int = _ROUNDS, large: tuple[int, int] = LARGE) -> Section:
    """Every way in turn on the same photos, `rounds` times, in one process of a DataLoader."""
    folder = Path(tempfile.mkdtemp(prefix="input-"))
    try:
        for split in ("train", "val"):
            for name in ("a", "b"):
                write_photos(folder / "small" / split / name, BATCH // 2, SMALL)
                write_photos(folder / "large" / split / name, 1, large)
        for name, storage in _PACKS.items():
            builder = PackBuilder(Originals(folder / "small", ""), storage, folder / _file_of(name))
            builder.build(1, lambda *_: None)
        seconds = _in_a_loader(_ways(folder), rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _section(seconds)


def _section(seconds: Mapping[str, float]) -> Section:
    original = {name: seconds[_BASE[name]] for name in _BASE}
    rows = [
        (name, f"{value * 1000:.2f}", f"{original[name] / value:.2f}" if name in original else "")
        for name, value in seconds.items()
    ]
    loader, device, pack, raw = (original[name] / seconds[name] for name in _GOALS)
    times = seconds[_LARGE_DEVICE] / seconds[_DEVICE]
    return Section(
        title="The input path, CPU time for an image",
        says=f"JPEGs of {SMALL[0]} x {SMALL[1]} to {SIZE} pixels, in batches of {BATCH}: ms of CPU "
        "time for an image inside a loader process, and how many times that the original takes.",
        columns=("way", "ms", "of the original's speed"),
        rows=tuple(rows),
        figures=(
            Figure("loader_speed", _LOADER, loader, "higher", goal=1.25),
            Figure("device_speed", _DEVICE, device, "higher", goal=2.0),
            Figure("pack_speed", _PACK, pack, "higher", goal=4.0),
            Figure("raw_pack_speed", _RAW_PACK, raw, "higher"),
            Figure("large_ratio", "12 megapixels against a small JPEG", times, "lower", goal=4.0),
        ),
        notes=(
            "All bytes of a baseline JPEG must be read, however few pixels are wanted: a photo of "
            "12 megapixels takes 10 to 20 ms at any size. A pack avoids it.",
        ),
    )


_ORIGINAL, _EVAL_ORIGINAL = "original, training", "original, eval"
_LARGE_ORIGINAL, _LARGE_DEVICE = "original, 12 megapixels", "ours, 12 megapixels"
_LOADER = "ours, everything on the CPU"
_DEVICE = "ours, jitter, flip and preprocessing on the device"
_EVAL = "ours, eval"
_PACK = "ours, from a pack made with the defaults, the rest on the device"
_PACK_LOADER = "ours, from that pack, everything on the CPU"
_SMALL_PACK = "ours, from a pack of JPEGs of 256 pixels, the rest on the device"
_RAW_PACK = "ours, from a pack of raw pixels, the rest on the device"
_PACKS = {
    _PACK: DEFAULT_STORAGE,
    _SMALL_PACK: replace(DEFAULT_STORAGE, short_side=256),
    _RAW_PACK: replace(DEFAULT_STORAGE, encoding="raw"),
}
_GOALS = (_LOADER, _DEVICE, _PACK, _RAW_PACK)
_BASE = {
    **dict.fromkeys((*_GOALS, _PACK_LOADER, _SMALL_PACK), _ORIGINAL),
    _EVAL: _EVAL_ORIGINAL,
    _LARGE_DEVICE: _LARGE_ORIGINAL,
}


def _ways(folder: Path) -> dict[str, tuple[_Work, int]]:
    """Each way as a batch of work, and how many images that is."""
    small, large = folder / "small", folder / "large"
    files = sorted((small / "train").glob("*/*.jpg"))
    train, pixels = partial(_open, split="train"), _device_batch
    ways: dict[str, tuple[_Work, int]] = {
        f"decoder: {name}": (partial(_decode, decode, files), BATCH)
        for name, decode in DECODERS.items()
    }
    photos = sorted((large / "train").glob("*/*.jpg"))
    for name, decode in REDUCED_DECODERS.items():
        ways[f"decoder, 12 megapixels at 1/8: {name}"] = partial(_decode, decode, photos), _FEW
    folders = DataSpec(train_dir="train", val_dir="val")
    theirs = ImageFolder(small / "train", original_transform(SIZE))
    ways[_ORIGINAL] = partial(_original_batch, theirs), BATCH
    ways[_LOADER] = partial(_loader_batch, train(folders, small), count()), BATCH
    ways[_DEVICE] = partial(pixels, train(folders, small), count()), BATCH
    for name in _PACKS:
        packed = train(DataSpec(packed=_file_of(name)), folder)
        ways[name] = partial(pixels, packed, count()), BATCH
    packed = train(DataSpec(packed=_file_of(_PACK)), folder)
    ways[_PACK_LOADER] = partial(_loader_batch, packed, count()), BATCH
    theirs = ImageFolder(small / "val", original_eval_transform(SIZE))
    ways[_EVAL_ORIGINAL] = partial(_original_batch, theirs), BATCH
    ways[_EVAL] = partial(_loader_batch, _open(folders, small, "val"), count()), BATCH
    theirs = ImageFolder(large / "train", original_transform(SIZE))
    ways[_LARGE_ORIGINAL] = partial(_original_batch, theirs), _FEW
    ways[_LARGE_DEVICE] = partial(pixels, train(folders, large), count()), _FEW
    return ways


def _open(data: DataSpec, root: Path, split: Split) -> PixelImages:
    images = open_split(data, SplitRequest(split, SIZE, 0, preprocess_of("bgr255"), root))
    assert isinstance(images, PixelImages)
    return images


def _file_of(pack: str) -> str:
    storage = _PACKS[pack]
    return f"{storage.encoding}-{storage.short_side}.pack"


def _decode(decode: Callable[[bytes], object], files: list[Path]) -> None:
    for file in files:
        decode(file.read_bytes())


def _original_batch(images: ImageFolder) -> object:
    return default_collate([images[index] for index in range(len(images))])


def _device_batch(images: PixelImages, epochs: "count[int]") -> object:
    epoch = next(epochs)
    return batch_of([images.pixels(epoch, index) for index in range(len(images))])


def _loader_batch(images: PixelImages, epochs: "count[int]") -> object:
    epoch = next(epochs)
    pixels = [augmented(images.pixels(epoch, index)) for index in range(len(images))]
    return transform_of(images)(batch_of(pixels))


class _Timings(Dataset[dict[str, float]]):
    def __init__(self, ways: Mapping[str, tuple[_Work, int]]) -> None:
        self._ways = ways

    def __getitem__(self, _: int) -> dict[str, float]:
        return {name: _cpu_seconds(work) / images for name, (work, images) in self._ways.items()}


def _cpu_seconds(work: _Work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _in_a_loader(ways: Mapping[str, tuple[_Work, int]], rounds: int) -> dict[str, float]:
    """The median of the rounds after the first, in which caches fill."""
    loader: DataLoader[dict[str, float]] = DataLoader(
        _Timings(ways), sampler=range(rounds), batch_size=None, num_workers=1
    )
    timings = list(loader)[1:]
    return {name: median(float(timing[name]) for timing in timings) for name in ways}

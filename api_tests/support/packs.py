"""Packs of small drawn photos."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from service.contract.data_spec import DataSpec
from workers.data.images import ImageDataset, Split, SplitRequest
from workers.data.packs.builder import PackBuilder, PackSummary
from workers.data.packs.encoding import Storage
from workers.data.packs.originals import Originals
from workers.data.sources import open_split
from workers.data.transforms import preprocess_of

FOLDERS = DataSpec(train_dir="train", val_dir="val")
PACK = DataSpec(packed="photos.pack")


def draw(path: Path, seed: int, size: tuple[int, int] = (60, 80), **how: Any) -> None:
    """An image of this height and width, of soft colours; `how` goes to Pillow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(small).resize((size[1], size[0]), Image.Resampling.BICUBIC).save(path, **how)


def draw_folders(root: Path) -> None:
    """The folders `train` and `val` of 20 and 6 images, JPEG and PNG, of two classes."""
    for split, count in (("train", 20), ("val", 6)):
        for number in range(count):
            suffix = "jpg" if number % 3 else "png"
            draw(root / split / ("cat", "dog")[number % 2] / f"{number:02d}.{suffix}", number)


def builder_of(
    root: Path, encoding: Any = "original", *, short_side: int = 48, name: str = "photos.pack"
) -> PackBuilder:
    """What packs the folders below a root into a file there."""
    return PackBuilder(Originals(root, ""), Storage(encoding, short_side, 90), root / name)


def build(root: Path, encoding: Any = "original", *, processes: int = 1, **how: Any) -> PackSummary:
    """Pack the folders below a root into a file there."""
    return builder_of(root, encoding, **how).build(processes, lambda *_: None)


def opened(root: Path, data: DataSpec, split: Split = "train") -> ImageDataset:
    """A split of the data below a root, at 32 pixels."""
    return open_split(data, SplitRequest(split, 32, 7, preprocess_of("bgr_normalized"), root))

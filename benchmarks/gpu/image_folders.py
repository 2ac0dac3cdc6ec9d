"""Photos for these benchmarks, as files and as a pack."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.gpu.device import Scale
from workers.data.packs.builder import PackBuilder
from workers.data.packs.encoding import Storage
from workers.data.packs.originals import Originals

PACK = "photos.pack"
_CLASSES = 4
_SIDE, _DETAIL = (500, 375), (64, 48)


def write_photos(root: Path, scale: Scale) -> None:
    """Two splits of JPEG files of 500 x 375; `train` has hard links, so that an epoch is long."""
    random = np.random.default_rng(0)
    for number in range(scale.files):
        pixels = random.integers(0, 256, (*_DETAIL[::-1], 3), dtype=np.uint8)
        path = _path(root, "val", number)
        Image.fromarray(pixels).resize(_SIDE, Image.Resampling.BICUBIC).save(path, quality=90)
        for copy in range(scale.links):
            os.link(path, _path(root, "train", number + scale.files * copy))


def write_pack(root: Path, processes: int) -> None:
    """The photos of a folder as a pack below it."""
    storage = Storage("jpeg", 256, 90)
    PackBuilder(Originals(root, ""), storage, root / PACK).build(processes, lambda *_: None)


def _path(root: Path, split: str, number: int) -> Path:
    path = root / split / f"class-{number % _CLASSES}" / f"{number:06d}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path

"""JPEG files of every kind, and torchvision's decoder on the CPU in the place of nvJPEG."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image
from torch import Tensor
from torchvision.io import ImageReadMode, decode_jpeg

WIDTH, HEIGHT = 90, 70


def photo(seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Coarse noise."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    return picture.convert(mode)


def jpeg(seed: int = 0, mode: str = "RGB", **options: Any) -> bytes:
    """A photo as the content of a file."""
    content = BytesIO()
    photo(seed, mode).save(content, "JPEG", quality=90, **options)
    return content.getvalue()


def sideways() -> Image.Exif:
    """That a picture is to be turned."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif


def with_frame(content: bytes, *, marker: int = 0xC0, precision: int = 8) -> bytes:
    """A baseline JPEG that says it has another frame."""
    at = content.index(b"\xff\xc0")
    frame = bytes([0xFF, marker, *content[at + 2 : at + 4], precision])
    return content[:at] + frame + content[at + 5 :]


def without_scan(content: bytes) -> bytes:
    """A JPEG with its header and its end, and nothing between."""
    return content[: content.index(b"\xff\xc4")] + b"\xff\xd9"


def write_photos(root: Path, train: int = 20, val: int = 6) -> None:
    """Folders of two classes, every third file a PNG, some of the others grey or progressive."""
    for split, count in (("train", train), ("val", val)):
        for number in range(count):
            folder = root / split / ("cat", "dog")[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            if number % 3 == 0:
                photo(number).save(folder / f"{number:02d}.png")
                continue
            mode, options = ("L" if number % 5 == 0 else "RGB"), {"progressive": number % 4 == 0}
            (folder / f"{number:02d}.jpg").write_bytes(jpeg(number, mode, **options))


def decode_on_cpu(files: list[Tensor]) -> list[Tensor]:
    """What nvJPEG does on a GPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pictures: list[Tensor] = decode_jpeg(files, ImageReadMode.RGB)
    return pictures

"""How an image of a folder is stored in a pack."""

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image

from workers.data.errors import InvalidData
from workers.data.image_files import FORMATS, decode_image
from workers.data.packs.index import Encoding
from workers.data.packs.tiles import tile_mcus
from workers.data.regular_files import open_regular_file

RAW_HEAD = struct.Struct("<IIHxx")
"""Before the pixels of a raw image, RGB (height, width, 3): height, width, EXIF orientation."""

_ORIENTATION = ExifTags.Base.Orientation
_UPRIGHT = 1
_CHROMA_OF_HALF_THE_SIZE = "4:2:0"
_LONGEST_JPEG = 65_500
"""The limit of libjpeg."""


@dataclass(frozen=True)
class Storage:
    """How to store images; `short_side` in pixels, `quality` that of JPEG.

    The EXIF orientation of an image is stored with it, and applied when it is read, if at all.
    """

    encoding: Encoding
    short_side: int
    quality: int


DEFAULT_STORAGE = Storage("jpeg", 320, 90)


@dataclass(frozen=True)
class Original:
    """The size of a file in bytes, and the time of its last change in ns."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Original":
        """What a file has now."""
        return cls(status.st_size, status.st_mtime_ns)


class StoredImage(NamedTuple):
    """An image as a pack stores it, whether it is a JPEG in tiles, and the file it was made of."""

    content: bytes
    is_tiled: bool
    original: Original


def stored_image(path: Path, name: str, data_root: Path, storage: Storage) -> StoredImage:
    """An image of a folder, read and encoded.

    Each image is decoded, so that a pack holds none that would end a training. Raises InvalidData
    for an image that cannot be decoded or stored, or that changes while it is read, and NoDataRoot.
    """
    with open_regular_file(path, name, data_root) as file:
        before = Original.of(os.fstat(file.fileno()))
        content = file.read()
        image = decode_image(io.BytesIO(content), name, data_root, exif_orientation=False)
        if before != Original.of(os.fstat(file.fileno())) or len(content) != before.size:
            raise changed(name)
    if storage.encoding == "original":
        return StoredImage(content, False, before)
    with Image.open(io.BytesIO(content), formats=FORMATS) as header:
        orientation = _orientation_of(header)
        if storage.encoding == "jpeg" and _is_small_jpeg(header, storage.short_side):
            return StoredImage(content, False, before)
    small = _resized(image, storage.short_side)
    if storage.encoding == "raw":
        head = RAW_HEAD.pack(small.height, small.width, orientation)
        return StoredImage(head + np.asarray(small).tobytes(), False, before)
    if max(small.size) > _LONGEST_JPEG:
        raise InvalidData(
            f"{name} has {small.width:,} x {small.height:,} pixels, and a JPEG at most "
            f"{_LONGEST_JPEG:,} in a row: remove it, or pack with --format raw or original"
        )
    return StoredImage(_as_jpeg(small, orientation, storage.quality), True, before)


def changed(name: str) -> InvalidData:
    """The error of a file that is not the one that was listed or packed."""
    return InvalidData(
        f"{name} changed while its folder was packed: pack it when nothing writes to it"
    )


def _is_small_jpeg(header: Image.Image, short_side: int) -> bool:
    # A progressive JPEG is read in several passes: several times slower.
    progressive = "progressive" in header.info or "progression" in header.info
    is_plain = header.format == "JPEG" and header.mode == "RGB" and not progressive
    return is_plain and min(header.size) <= short_side


def _resized(image: Image.Image, short_side: int) -> Image.Image:
    shorter = min(image.size)
    if shorter <= short_side:
        return image
    size = [max(short_side, round(side * short_side / shorter)) for side in image.size]
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def _as_jpeg(image: Image.Image, orientation: int, quality: int) -> bytes:
    exif = b""
    if orientation != _UPRIGHT:
        tags = Image.Exif()
        tags[_ORIENTATION] = orientation
        exif = tags.tobytes()
    try:
        # Codes of its own for each image: 6 % smaller, and decoded in as much less time.
        return _in_tiles(image, quality=quality, exif=exif, optimize=True)
    except OSError:
        # Pillow's buffer for that is too small for noise of a high quality.
        return _in_tiles(image, quality=quality, exif=exif, optimize=False)


def _in_tiles(image: Image.Image, **how: Any) -> bytes:
    content, blocks = io.BytesIO(), tile_mcus(image.width)
    image.save(
        content, "JPEG", subsampling=_CHROMA_OF_HALF_THE_SIZE, restart_marker_blocks=blocks, **how
    )
    return content.getvalue()


def _orientation_of(header: Image.Image) -> int:
    # The pixels of a TIFF are turned by Pillow already.
    orientation = header.getexif().get(_ORIENTATION) if header.format != "TIFF" else None
    return orientation if isinstance(orientation, int) and 2 <= orientation <= 8 else _UPRIGHT

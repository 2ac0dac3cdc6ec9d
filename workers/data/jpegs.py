"""Decodes the part of a JPEG that is used, as fast as libjpeg-turbo can."""

from io import BytesIO
from typing import BinaryIO

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image
from torch import Tensor

from workers.data.cuts import Cut, part_of

_START = b"\xff\xd8\xff"
_LIMIT_BYTES = 256 << 20

_SIDEWAYS = (5, 6, 7, 8)
"""The EXIF orientations whose rows are columns of the file."""

_FLIPS = {2: (2,), 3: (1, 2), 4: (1,), 6: (2,), 7: (1, 2), 8: (1,)}
"""Which dimensions of (3, H, W) an orientation turns round, once rows are rows."""

_RGB_OF = ("YCbCr", "RGB", "Gray")


def cut_jpeg(file: BinaryIO, cut: Cut, *, exif_orientation: bool) -> Tensor | None:
    """The cut (3, S, S), uint8, of a JPEG without any fault; None for every other content.

    A JPEG that is truncated, damaged, in CMYK or larger than Pillow allows is left to Pillow, which
    knows what to do with it or why not; the file's position is undefined then.
    """
    if file.read(len(_START)) != _START:
        return None
    file.seek(0)
    data = file.read(_LIMIT_BYTES)
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in _RGB_OF or is_bomb(height, width):
            return None
        orientation = orientation_of(data) if exif_orientation else 1
        size = (height, width) if orientation in _SIDEWAYS else (width, height)
        box = cut.box(*size)
        reduction = cut.reduction(box)
        image = decoded_jpeg(data, height, width, reduction)
    except ValueError:
        return None
    return cut.resized(part_of(_turned(image, orientation), box, reduction))


def is_bomb(height: int, width: int) -> bool:
    """Whether Pillow refuses a picture of this size, which would fill the memory."""
    return height * width > 2 * (Image.MAX_IMAGE_PIXELS or 0)


def decoded_jpeg(data: bytes | bytearray, height: int, width: int, reduction: int) -> Tensor:
    """A JPEG (3, H, W), uint8, RGB, divided by `reduction`; raises ValueError for any fault."""
    # Strict: libjpeg's warnings, as of a file that ends early, are errors.
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
        data,
        min_height=height // reduction,
        min_width=width // reduction,
        min_factor=reduction,
        strict=True,
    )
    return torch.from_numpy(pixels).permute(2, 0, 1)


def orientation_of(data: bytes) -> int:
    """The EXIF orientation of a JPEG, 1 where it has none."""
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    return orientation if isinstance(orientation, int) else 1


def _turned(image: Tensor, orientation: int) -> Tensor:
    if orientation in _SIDEWAYS:
        image = image.transpose(1, 2)
    flips = _FLIPS.get(orientation)
    return image.flip(flips) if flips else image

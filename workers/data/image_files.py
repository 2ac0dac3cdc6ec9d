"""Decodes image files of users."""

import errno
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError
from torch import Tensor

from workers.data.cuts import Cut, cut_picture
from workers.data.device_jpegs import DeviceJpeg, device_jpeg
from workers.data.errors import InvalidData
from workers.data.file_errors import data_error_of
from workers.data.file_names import printable
from workers.data.jpegs import cut_jpeg
from workers.data.regular_files import open_regular_file

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")
"""The formats that are tried, by Pillow's names, whatever the suffix of the file."""

_GREY_16 = ("I;16", "I;16B", "I;16L", "I;16N")
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_WHITE_IS_ZERO = 258, 262, 0
_ORIENTATION = ExifTags.Base.Orientation
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UNKNOWN_RANGE = "its pixels are 32-bit or floating-point numbers, whose white is unknown"


def read_image(path: Path, name: str, data_root: Path, *, exif_orientation: bool) -> Image.Image:
    """The first picture of a file in RGB with 8 bits; `name` is how messages name the file.

    Greys of 16 bits are scaled to 8 as in OpenCV and libpng, by their upper byte. A palette and
    CMYK are converted, an alpha channel is dropped. With `exif_orientation` the picture is turned
    as its EXIF data says. Raises InvalidData whatever a decoder raises, and NoDataRoot.
    """
    with open_regular_file(path, name, data_root) as file:
        return decode_image(file, name, data_root, exif_orientation=exif_orientation)


def decode_image(
    file: BinaryIO, name: str, data_root: Path, *, exif_orientation: bool
) -> Image.Image:
    """The first picture of an open file or of bytes, as `read_image` has it."""
    with _decoding(file, name, data_root):
        return _decoded(file, exif_orientation)


def read_cut(path: Path, name: str, data_root: Path, cut: Cut, *, exif_orientation: bool) -> Tensor:
    """The cut (3, S, S), uint8, RGB, of the picture that `read_image` gives; it raises the same."""
    with open_regular_file(path, name, data_root) as file:
        return cut_image(file, name, data_root, cut, exif_orientation=exif_orientation)


def cut_image(
    file: BinaryIO, name: str, data_root: Path, cut: Cut, *, exif_orientation: bool
) -> Tensor:
    """The cut of an open file or of bytes, as `read_cut` has it."""
    with _decoding(file, name, data_root):
        image = cut_jpeg(file, cut, exif_orientation=exif_orientation)
        if image is not None:
            return image
        file.seek(0)
        return cut_picture(np.asarray(_decoded(file, exif_orientation)), cut)


def read_jpeg_or_cut(
    path: Path, name: str, data_root: Path, cut: Cut, *, exif_orientation: bool
) -> DeviceJpeg | Tensor:
    """A file that a device can decode, as it is; else its cut; it raises what `read_cut` does."""
    with open_regular_file(path, name, data_root) as file:
        return jpeg_or_cut(file, name, data_root, cut, exif_orientation=exif_orientation)


def jpeg_or_cut(
    file: BinaryIO, name: str, data_root: Path, cut: Cut, *, exif_orientation: bool
) -> DeviceJpeg | Tensor:
    """As `read_jpeg_or_cut`, of an open file or of bytes."""
    with _decoding(file, name, data_root):
        jpeg = device_jpeg(file, cut, exif_orientation=exif_orientation)
        if jpeg is not None:
            return jpeg
        file.seek(0)
    return cut_image(file, name, data_root, cut, exif_orientation=exif_orientation)


@contextmanager
def _decoding(file: BinaryIO, name: str, data_root: Path) -> Iterator[None]:
    with warnings.catch_warnings():
        # A warning of a decoder names no file, and would be printed for the first one alone.
        warnings.simplefilter("ignore")
        try:
            yield
        except OSError as error:
            # Pillow's own have no number: a file that it cannot decode is no error of the system.
            # EINVAL is a seek to an offset in the file's own content that no file can have.
            if error.errno not in (None, errno.EINVAL):
                raise data_error_of(error, name, data_root) from error
            raise _unreadable(name, _problem(error, file)) from error
        except Exception as error:
            raise _unreadable(name, _problem(error, file)) from error


def _decoded(file: BinaryIO, exif_orientation: bool) -> Image.Image:
    with Image.open(file, formats=FORMATS) as image:
        rgb = _in_rgb(image)
        # After the decoding, in which Pillow turns a TIFF and takes its orientation away.
        orientation = image.getexif().get(_ORIENTATION) if exif_orientation else None
        return turned(rgb, orientation) if isinstance(orientation, int) else rgb


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as an EXIF orientation says; any other number than 2 to 8 leaves it."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _GREY_16:
        return _from_grey(np.asarray(image), *_range_of(image))
    if image.mode == "I" and image.format == "PPM":
        # Pillow scales a PGM of more than 8 bits to 16.
        return _from_grey(np.asarray(image), bits=16)
    if image.mode in ("I", "F"):
        raise ValueError(_UNKNOWN_RANGE)
    return image.convert("RGB")


def _range_of(image: Image.Image) -> tuple[int, bool]:
    tags = getattr(image, "tag_v2", {})
    return tags.get(_TIFF_BITS, (16,))[0], tags.get(_TIFF_PHOTOMETRIC) == _TIFF_WHITE_IS_ZERO


def _from_grey(values: np.ndarray, bits: int, white_is_zero: bool = False) -> Image.Image:
    grey = (values >> (bits - 8)).astype(np.uint8)
    return Image.fromarray(255 - grey if white_is_zero else grey).convert("RGB")


def _unreadable(name: str, problem: str) -> InvalidData:
    return InvalidData(f"{name} is not a readable image ({problem}): replace or remove it")


def _problem(error: Exception, file: BinaryIO) -> str:
    text = printable(str(error))
    if isinstance(error, UnidentifiedImageError):
        is_empty = file.seek(0, os.SEEK_END) == 0
        return "it is empty" if is_empty else f"it is none of {', '.join(FORMATS)}"
    if isinstance(error, Image.DecompressionBombError):
        assert Image.MAX_IMAGE_PIXELS is not None
        return f"a decompression bomb, of more than {2 * Image.MAX_IMAGE_PIXELS} pixels"
    if "MAX_TEXT" in text:
        return "a text chunk in it is too large"
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    return text or type(error).__name__

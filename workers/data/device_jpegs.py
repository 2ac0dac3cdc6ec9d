"""Which JPEG files are decoded on the training device, and what a loader hands over of one."""

from typing import BinaryIO, NamedTuple

import simplejpeg

from workers.data.cuts import Box, Cut
from workers.data.jpegs import orientation_of

_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_MOST_PIXELS = 1 << 24
"""A larger picture would fill the device's memory; a loader reduces it while it decodes."""

_LEAST_LIMIT_BYTES = 1 << 16
_COLOURS = ("YCbCr", "Gray")
_FRAMES = range(0xC0, 0xD0)
_NO_FRAMES = (0xC4, 0xC8, 0xCC)
"""Markers of that range that begin tables."""

_DECODED_FRAMES = (0xC0, 0xC1, 0xC2)
"""Baseline, extended and progressive, by Huffman's codes."""


class DeviceJpeg(NamedTuple):
    """A whole file, the size of its picture, and the part of it that is used."""

    content: bytes
    width: int
    height: int
    box: Box


def limit_bytes(size: int) -> int:
    """The largest file that is handed over for an input of `size` pixels, a side.

    It is twice the pixels of the input: a larger file is cheaper to hand over once it is cut.
    """
    return max(2 * 3 * size**2, _LEAST_LIMIT_BYTES)


def device_jpeg(file: BinaryIO, cut: Cut, *, exif_orientation: bool) -> DeviceJpeg | None:
    """The JPEG with its part; None for all that a loader must decode.

    That is every other format, CMYK and RGB, 12 bits, an arithmetic code, a picture to be turned,
    files that are large or do not end as a JPEG does. Nothing is drawn for these. The file's
    position is undefined afterwards. Raises OSError.
    """
    limit = limit_bytes(cut.size)
    content = file.read(limit + 1)
    if len(content) > limit or not content.startswith(_START) or not content.endswith(_END):
        return None
    if not _is_decoded(content) or (exif_orientation and orientation_of(content) != 1):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
    except ValueError:
        return None
    if colours not in _COLOURS or height * width > _MOST_PIXELS:
        return None
    return DeviceJpeg(content, width, height, cut.box(width, height))


def _is_decoded(content: bytes) -> bool:
    """Whether the frame has 8 bits and a code that nvJPEG knows."""
    at = len(_START) - 1
    while at + 5 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            # Any number of these may fill the space before a marker.
            at += 1
        elif marker in _FRAMES and marker not in _NO_FRAMES:
            return marker in _DECODED_FRAMES and content[at + 4] == 8
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return False

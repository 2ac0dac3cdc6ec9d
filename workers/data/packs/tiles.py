"""JPEGs in tiles, of which a part is decoded without the rest.

A restart interval of a baseline JPEG is decoded without those before it (ITU-T T.81, E.1.4). Where
a row of MCUs is a whole number of intervals, each interval is a tile of the image. The tiles of a
rectangle behind a header with its size are a JPEG of it, and are decoded to the same pixels.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workers.data.cuts import Box, Cut, part_of
from workers.data.jpegs import decoded_jpeg, is_bomb

MCU = 16
"""Pixels in each direction, where the chroma has half the size in both: as libjpeg writes it."""

_WIDEST = 6
_MARGIN = 2
"""Pixels around a part that the chroma at its edge is interpolated from, and one more."""

_FRAME, _SCAN, _INTERVAL, _EXIF = 0xFFC0, 0xFFDA, 0xFFDD, 0xFFE1
_FRAME_HEADER = struct.Struct(">xHHB")
"""Height, width and the number of components, behind the precision."""

_SUBSAMPLING = (0x22, 0x11, 0x11)
_RESTART, _END = 0xD0, 0xD9


class JpegPart(NamedTuple):
    """A JPEG of some tiles, its size in pixels, and where the part lies in it."""

    content: bytes | bytearray
    height: int
    width: int
    box: Box


def tile_mcus(width: int) -> int:
    """How many MCUs wide the tiles of an image are: from 2 to 6 if those fill a row, or 1.

    Each tile costs about five bytes, and the edges of a part the fewer the narrower they are.
    """
    mcus = -(-width // MCU)
    return next((count for count in range(2, _WIDEST + 1) if mcus % count == 0), 1)


def cut_tiles(content: bytes, cut: Cut, *, exif_orientation: bool) -> Tensor | None:
    """The cut (3, S, S), uint8, of a JPEG in tiles; raises ValueError for every other content.

    None for an image that is to be turned as its EXIF data says: its rows are no rows of tiles.
    """
    tiles = TiledJpeg(content)
    if is_bomb(tiles.height, tiles.width):
        raise ValueError(f"it has {tiles.width:,} x {tiles.height:,} pixels, a decompression bomb")
    if exif_orientation and tiles.has_exif:
        return None
    box = cut.box(tiles.width, tiles.height)
    reduction = cut.reduction(box)
    part = tiles.part(box)
    image = decoded_jpeg(part.content, part.height, part.width, reduction)
    return cut.resized(part_of(image, part.box, reduction))


class TiledJpeg:
    """The header of a JPEG in tiles, and its parts; sizes in pixels."""

    def __init__(self, content: bytes) -> None:
        """Read the header; raises ValueError for a JPEG that is not in tiles."""
        self._content = content
        try:
            spans = dict(_header_spans(content))
            self._frame, self._begin = spans[_FRAME][0], spans[_SCAN][1]
            self.height, self.width, _ = _FRAME_HEADER.unpack_from(content, self._frame)
            (mcus,) = struct.unpack_from(">H", content, spans[_INTERVAL][0])
        except (KeyError, struct.error) as error:
            raise ValueError("it is no baseline JPEG with restart intervals") from error
        self.has_exif = _EXIF in spans
        first = self._frame + _FRAME_HEADER.size + 1
        factors = content[first : first + 3 * len(_SUBSAMPLING) : 3]
        self._rows, in_row = -(-self.height // MCU), -(-self.width // MCU)
        if tuple(factors) != _SUBSAMPLING or 0 in (mcus, in_row, self._rows) or in_row % mcus:
            raise ValueError("its restart intervals are no tiles")
        self._columns, self._tile_width = in_row // mcus, mcus * MCU

    def part(self, box: Box) -> JpegPart:
        """The tiles that a box needs; raises ValueError if there are others than it says."""
        left = max(0, box.left - _MARGIN) // self._tile_width
        top = max(0, box.top - _MARGIN) // MCU
        end_x = min(self.width, box.left + box.width + _MARGIN)
        end_y = min(self.height, box.top + box.height + _MARGIN)
        right, bottom = -(-end_x // self._tile_width), -(-end_y // MCU)
        if (left, top, right, bottom) == (0, 0, self._columns, self._rows):
            return JpegPart(self._content, self.height, self.width, box)
        begins, ends = (side[top:bottom, left:right] for side in self._tile_bounds())
        x, y = left * self._tile_width, top * MCU
        height = min(bottom * MCU, self.height) - y
        width = min(right * self._tile_width, self.width) - x
        inner = box._replace(left=box.left - x, top=box.top - y)
        return JpegPart(self._joined(begins, ends, height, width), height, width, inner)

    def _tile_bounds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each tile begins, and where its marker ends: both (rows, columns)."""
        scan = np.frombuffer(self._content, np.uint8, offset=self._begin)
        marks = np.flatnonzero(scan[:-1] == 0xFF)
        marks = marks[(scan[marks + 1] & 0xF8) == _RESTART]
        shape = self._rows, self._columns
        if len(marks) + 1 != self._rows * self._columns:
            raise ValueError("its tiles are not as many as its size says")
        bounds = np.empty(len(marks) + 2, np.int64)
        bounds[0], bounds[-1] = self._begin, len(self._content)
        bounds[1:-1] = marks + (self._begin + 2)
        return bounds[:-1].reshape(shape), bounds[1:].reshape(shape)

    def _joined(
        self, begins: NDArray[np.int64], ends: NDArray[np.int64], height: int, width: int
    ) -> bytearray:
        content, begin = self._content, self._begin
        rows = zip(begins[:, 0].tolist(), ends[:, -1].tolist(), strict=True)
        joined = bytearray().join([content[:begin], *[content[at:end] for at, end in rows]])
        struct.pack_into(">HH", joined, self._frame + 1, height, width)
        lengths = (ends - begins).ravel()
        # The numbers of the markers behind the tiles count from 0 to 7, again and again.
        numbers = np.arange(len(lengths), dtype=np.uint8) % 8
        np.frombuffer(joined, np.uint8)[begin - 1 + np.cumsum(lengths)] = numbers + _RESTART
        joined[-1] = _END
        return joined


def _header_spans(content: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    """The marker of each segment, and where its payload begins and ends; the scan's is the last."""
    at, marker = 2, 0
    while marker != _SCAN:
        marker, length = struct.unpack_from(">HH", content, at)
        yield marker, (at + 4, at + 2 + length)
        at += 2 + length

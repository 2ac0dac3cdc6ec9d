"""Which part of an image is used, and how it becomes an image of the input's size."""

import math
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

_TRIES = 10
_LONGEST = 4
REDUCTIONS = (8, 4, 2)
"""What a JPEG can be divided by while it is decoded, the most first."""

_MARGIN = 2
"""A reduced image keeps so many times the pixels that are needed, so that its resizing decides."""


class Box(NamedTuple):
    """A part of an image, in pixels."""

    left: int
    top: int
    width: int
    height: int


class Cut(Protocol):
    """One image's way from its full size to (3, S, S)."""

    @property
    def size(self) -> int:
        """The side S."""

    def box(self, width: int, height: int) -> Box:
        """The part that is used of an image of this size; the same one at each call."""

    def reduction(self, box: Box) -> int:
        """By how much the image may be divided in both directions while it is decoded."""

    def resized(self, part: Tensor) -> Tensor:
        """The part (3, H, W), uint8, as an image (3, S, S)."""


def part_of(image: Tensor, box: Box, reduction: int = 1) -> Tensor:
    """The part of an image (3, H, W) that a box is of, which counts in pixels of the unreduced."""
    left, right = (round(x / reduction) for x in (box.left, box.left + box.width))
    top, bottom = (round(y / reduction) for y in (box.top, box.top + box.height))
    return image[:, top:bottom, left:right]


def cut_picture(pixels: NDArray[np.uint8], cut: Cut) -> Tensor:
    """The cut of a whole picture (H, W, 3); only its part is copied."""
    left, top, width, height = cut.box(pixels.shape[1], pixels.shape[0])
    part = np.array(pixels[top : top + height, left : left + width])
    return cut.resized(torch.from_numpy(part).permute(2, 0, 1))


class RandomCut:
    """A random part, resized with antialiasing, as torchvision's RandomResizedCrop of a picture.

    `area` and `ratio` are the ranges of its share of the image's area and of its aspect ratio.
    """

    def __init__(
        self,
        size: int,
        draw: np.random.Generator,
        *,
        area: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ) -> None:
        self.size, self._draw, self._area, self._ratio = size, draw, area, ratio
        self._box: Box | None = None

    def box(self, width: int, height: int) -> Box:
        """Drawn at the first call."""
        if self._box is None:
            self._box = self._drawn(width, height)
        return self._box

    def reduction(self, box: Box) -> int:
        """2, 4 or 8 for a part of at least 4, 8 or 16 times the size in both directions."""
        needed = self.size * _MARGIN
        shorter = min(box.width, box.height)
        return next((times for times in REDUCTIONS if shorter >= needed * times), 1)

    def resized(self, part: Tensor) -> Tensor:
        """By a triangle filter that is as wide as the shrinking, as Pillow's."""
        size = [self.size, self.size]
        return interpolate(_batch_of_one(part), size, mode="bilinear", antialias=True)[0]

    def _drawn(self, width: int, height: int) -> Box:
        draw, ratio = self._draw, self._ratio
        for _ in range(_TRIES):
            pixels = height * width * draw.uniform(*self._area)
            aspect = math.exp(draw.uniform(math.log(ratio[0]), math.log(ratio[1])))
            w, h = round(math.sqrt(pixels * aspect)), round(math.sqrt(pixels / aspect))
            if 0 < w <= width and 0 < h <= height:
                top, left = int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1))
                return Box(left, top, w, h)
        # The centre, as much of it as the ratios allow.
        w = min(width, max(1, round(height * ratio[1])))
        h = min(height, max(1, round(width / ratio[0])))
        return Box((width - w) // 2, (height - h) // 2, w, h)


class CentreCut:
    """The centre of an image, as the original's eval has it; never reduced while it is decoded."""

    def __init__(self, size: int) -> None:
        self.size = size

    def box(self, width: int, height: int) -> Box:
        """All of the image."""
        return Box(0, 0, width, height)

    def reduction(self, _: Box) -> int:
        """1: without antialiasing, as in the original, a reduced image would be another one."""
        return 1

    def resized(self, part: Tensor) -> Tensor:
        """The short side is resized to size*256/224, as by OpenCV's INTER_LINEAR, then cropped."""
        return resize_and_crop(part, self.size)


def resize_and_crop(image: Tensor, size: int) -> Tensor:
    """Resize the short side to size*256/224, as OpenCV's INTER_LINEAR, and crop the centre.

    (3, H, W), uint8 -> (3, size, size), uint8.
    """
    short = round(size * 256 / 224)
    scale = short / min(image.shape[-2:])
    shape = [max(short, int(scale * length + 0.5)) for length in image.shape[-2:]]
    for dimension in (1, 2):
        # A narrow image would be resized to a long one, of which the centre alone is wanted.
        if shape[dimension - 1] > _LONGEST * size:
            image = _centre_resized(image, dimension, shape[dimension - 1], size)
            shape[dimension - 1] = size
    resized = interpolate(_batch_of_one(image), shape, mode="bilinear", align_corners=False)[0]
    top, left = (round((length - size) / 2) for length in shape)
    return resized[:, top : top + size, left : left + size]


def _batch_of_one(image: Tensor) -> Tensor:
    """The image (3, H, W) as (1, 3, H, W).

    An image whose pixels follow each other, as decoders make it, is seen as channels_last: its
    resizing takes half the time, with the same result.
    """
    return image.permute(1, 2, 0)[None].permute(0, 3, 1, 2)


def _centre_resized(image: Tensor, dimension: int, length: int, size: int) -> Tensor:
    """The central `size` pixels of a dimension, as if it were resized to `length` pixels."""
    original = image.shape[dimension]
    first = round((length - size) / 2)
    positions = torch.arange(first, first + size, dtype=torch.float64)
    positions = ((positions + 0.5) * original / length - 0.5).clamp(0, original - 1)
    before = positions.long()
    after = (before + 1).clamp(max=original - 1)
    share = (positions - before).float()
    if dimension == 1:
        share = share[:, None]
    lower, upper = (image.index_select(dimension, at).float() for at in (before, after))
    return torch.lerp(lower, upper, share).round_().byte()

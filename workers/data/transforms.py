"""Crops and preprocessing of RGB images; the random generator is an argument."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.transforms import functional as F

from workers.data.augmentation import draw_lighting, without_augmentation
from workers.data.batch_transform import BatchTransform, Series
from workers.data.errors import InvalidData
from workers.data.images import Preprocess

_LONGEST = 4


def resized_crop(
    image: Tensor,
    size: int,
    draw: np.random.Generator,
    *,
    area: tuple[float, float],
    ratio: tuple[float, float],
) -> Tensor:
    """A random crop of (3, H, W), resized to (3, size, size).

    `area` and `ratio` are the ranges of its share of the image's area and of its aspect ratio.
    """
    height, width = image.shape[-2:]
    for _ in range(10):
        pixels = height * width * draw.uniform(*area)
        aspect = math.exp(draw.uniform(math.log(ratio[0]), math.log(ratio[1])))
        w, h = round(math.sqrt(pixels * aspect)), round(math.sqrt(pixels / aspect))
        if 0 < w <= width and 0 < h <= height:
            top, left = int(draw.integers(height - h + 1)), int(draw.integers(width - w + 1))
            crop: Tensor = F.resized_crop(image, top, left, h, w, [size, size])
            return crop
    center: Tensor = F.resize(F.center_crop(image, [min(height, width)]), [size, size])
    return center


def resize_and_crop(image: Tensor, size: int) -> Tensor:
    """Resize the short side to size*256/224, as OpenCV's INTER_LINEAR, and crop the centre.

    (3, H, W) -> (3, size, size), rounded and within 0 to 255.
    """
    short = round(size * 256 / 224)
    scale = short / min(image.shape[-2:])
    shape = [max(short, int(scale * length + 0.5)) for length in image.shape[-2:]]
    pixels = image
    for dimension in (1, 2):
        # A narrow image would be resized to a long one, of which the centre alone is wanted.
        if shape[dimension - 1] > _LONGEST * size:
            pixels = _centre_resized(pixels, dimension, shape[dimension - 1], size)
            shape[dimension - 1] = size
    resized = interpolate(pixels[None].float(), shape, mode="bilinear", align_corners=False)[0]
    centre: Tensor = F.center_crop(resized, [size])
    return centre.round().clamp(0, 255)


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
    return torch.lerp(lower, upper, share)


class SeriesPreprocess:
    """A preprocessing of the series, of one image or of a batch."""

    def __init__(self, name: Series, mean: Tensor | None = None) -> None:
        self.batch_transform = BatchTransform(name, mean)

    def __call__(self, image: Tensor, draw: np.random.Generator | None) -> Tensor:
        """The network's input of an RGB image (3, S, S), 0 to 255; an eval has no generator."""
        alphas = without_augmentation() if draw is None else draw_lighting(draw)
        batch = image[None].float(), torch.from_numpy(alphas)[None]
        return self.batch_transform.preprocessed(*batch)[0]


def preprocess_of(name: str, mean: Tensor | None = None) -> SeriesPreprocess:
    """The preprocessing of this name: an RGB image to the network's input (3, H, W) in BGR order.

    `bgr255`: values 0 to 255. `bgr_normalized`: lighting noise in training, then ImageNet's mean
    and standard deviation. `bgr255_minus_mean`: 0 to 255 minus `mean` (3, H, W), after the crop
    (ShuffleNetV2.Large). Raises InvalidData for another name, and for a missing mean.
    """
    if name == "bgr255_minus_mean":
        if mean is None:
            raise InvalidData(f"preprocessing {name} needs the mean image of the weights")
        return SeriesPreprocess("bgr255_minus_mean", mean)
    if name not in _PREPROCESSES:
        raise InvalidData(f"this worker has no preprocessing {name!r}")
    return _PREPROCESSES[name]


def batch_transform_of(preprocess: Preprocess) -> BatchTransform | None:
    """The preprocessing as the transform of a batch; None for a recipe's own function."""
    return preprocess.batch_transform if isinstance(preprocess, SeriesPreprocess) else None


_PREPROCESSES = {
    "bgr255": SeriesPreprocess("bgr255"),
    "bgr_normalized": SeriesPreprocess("bgr_normalized"),
}

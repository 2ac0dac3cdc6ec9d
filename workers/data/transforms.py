"""The preprocessing of the series, by its name; the random generator is an argument."""

import numpy as np
import torch
from torch import Tensor

from workers.data.augmentation import draw_lighting, without_augmentation
from workers.data.batch_transform import BatchTransform, Series
from workers.data.errors import InvalidData
from workers.data.images import Preprocess


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

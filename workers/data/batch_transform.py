"""The part of the input path that is done on the training device, for a whole batch at once."""

from functools import lru_cache
from typing import Any, Literal

import torch
from torch import Tensor

from workers.data.augmentation import (
    COLUMNS,
    FACTORS,
    FLIP,
    LIGHTING_COLUMNS,
    ORDER,
    ORDERS,
    augmented,
    grey_of,
    mean_of,
    moved,
)
from workers.data.images import ImageDataset, PixelImages, Pixels
from workers.data.loader import Batch, batch_of

Series = Literal["bgr255", "bgr_normalized", "bgr255_minus_mean"]
Inputs = tuple[Tensor, Tensor]

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EIGENVALUES = (0.2175, 0.0188, 0.0045)
_EIGENVECTORS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)


class BatchTransform:
    """Maps a batch to the network's input (N, 3, S, S), float32, and labels (N,), where it is.

    What is left to do follows from the batch. Images of floats are the input already. Those of
    uint8 are preprocessed as `preprocessing` names it: jittered and flipped first if the batch has
    the draws of that, with lighting noise if it has those alone. `mean` is the image (3, S, S) of
    `bgr255_minus_mean`. `preprocessing` is None where every image is the input already.
    """

    def __init__(self, preprocessing: Series | None, mean: Tensor | None = None) -> None:
        assert (preprocessing == "bgr255_minus_mean") == (mean is not None)
        self._preprocessing, self._mean = preprocessing, mean

    def __call__(
        self, batch: Batch, memory_format: torch.memory_format = torch.contiguous_format
    ) -> Inputs:
        """The inputs, in `memory_format`, and the labels."""
        images, labels, draws = batch
        if images.is_floating_point():
            return images.contiguous(memory_format=memory_format), labels
        assert self._preprocessing, "only a source of pixels gives images of uint8"
        pixels = images.to(torch.float32, memory_format=memory_format)
        if draws.shape[1] == COLUMNS:
            pixels = flipped(jittered(pixels, draws), draws)
        return self.preprocessed(pixels, draws[:, -LIGHTING_COLUMNS:]), labels

    def preprocessed(self, pixels: Tensor, alphas: Tensor) -> Tensor:
        """The inputs of RGB images (N, 3, S, S), floats of 0 to 255, that need no jitter any more.

        `alphas` (N, 3) are of the lighting noise; (N, 0) for none.
        """
        if self._preprocessing == "bgr_normalized":
            pixels = normalized(pixels, alphas)
        bgr = pixels.flip(1)
        if self._mean is None:
            return bgr
        if self._mean.device != bgr.device:
            self._mean = self._mean.to(bgr.device)
        return bgr.sub_(self._mean)


def transform_of(images: ImageDataset) -> BatchTransform:
    """What makes the network's input of the batches of these images."""
    own = images.batch_transform if isinstance(images, PixelImages) else None
    return own or BatchTransform(None)


def input_of(pixels: Pixels, transform: BatchTransform) -> tuple[Tensor, int]:
    """The network's input (3, S, S) of one image, and its class."""
    inputs, _ = transform(batch_of([augmented(pixels)]))
    return inputs[0], pixels.label


def jittered(pixels: Tensor, draws: Tensor) -> Tensor:
    """Change the colours of images (N, 3, H, W), whole numbers of 0 to 255 as floats, in place.

    Each in its own order; the result is Pillow's, bit for bit.
    """
    orders = _constant(ORDERS, torch.int64, draws.device)[draws[:, ORDER].long()]
    factors = draws[:, FACTORS].gather(1, orders)
    for position in range(orders.shape[1]):
        operation = orders[:, position].view(-1, 1, 1, 1)
        grey = grey_of(pixels)
        # Brightness moves away from black, contrast from the mean, saturation from each grey.
        origin = torch.where(operation == 1, mean_of(grey), grey.mul_(operation == 2))
        pixels = moved(pixels, origin, factors[:, position].view(-1, 1, 1, 1))
    return pixels


def flipped(pixels: Tensor, draws: Tensor) -> Tensor:
    """The images (N, 3, H, W), left and right exchanged where the draw says so."""
    return torch.where(draws[:, FLIP].bool().view(-1, 1, 1, 1), pixels.flip(3), pixels)


def normalized(pixels: Tensor, alphas: Tensor) -> Tensor:
    """RGB images (N, 3, H, W) of 0 to 255, with lighting noise if there are alphas (N, 3).

    Then ImageNet's mean and standard deviation are applied.
    """
    dtype, device = pixels.dtype, pixels.device
    mean, std, values = (_constant(of, dtype, device) for of in (_MEAN, _STD, _EIGENVALUES))
    pixels = pixels / 255
    if alphas.shape[1]:
        vectors = _constant(_EIGENVECTORS, dtype, device)
        pixels += ((alphas * values)[:, None, :] * vectors).sum(2)[:, :, None, None]
    return pixels.sub_(mean.view(3, 1, 1)).div_(std.view(3, 1, 1))


@lru_cache
def _constant(values: tuple[Any, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    # Kept: to make one on CUDA, the host waits for the batch that is being copied.
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)

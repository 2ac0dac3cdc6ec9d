"""Colour jitter and flip of the series, and the random numbers that they and the lighting take.

The arithmetic is Pillow's, on which torchvision's ColorJitter rests: each operation moves every
pixel away from a grey, `grey + factor * (pixel - grey)`, and drops what is behind the point.
"""

from itertools import permutations
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.data.images import Pixels

AugmentOn = Literal["loader", "device"]
"""Where colour jitter and flip are done: by the loader's processes, or on the training device."""

JITTER = 0.4
LIGHTING_STD = 0.1
OPERATIONS = ("brightness", "contrast", "saturation")
ORDERS = tuple(permutations(range(len(OPERATIONS))))
"""The orders of the operations; a draw has the number of one."""

FACTORS, ORDER, FLIP, LIGHTING = slice(0, 3), 3, 4, slice(5, 8)
"""The columns of draws: the factor of each operation, their order, flip (0 or 1), lighting."""

COLUMNS = 8
LIGHTING_COLUMNS = 3
"""How many columns are left of the draws once jitter and flip are done: those of the lighting."""

# Pillow's conversion to grey, in parts of 65,536.
GREY_WEIGHTS = (19595, 38470, 7471)
GREY_SHIFT = 16

_NONE = np.zeros(0, dtype=np.float32)


def without_augmentation() -> NDArray[np.float32]:
    """The draws of an image that is not augmented: none."""
    return _NONE


def draw_augmentation(draw: np.random.Generator) -> NDArray[np.float32]:
    """The draws (8,) of one image: factors of 1 ± 0.4 in a random order, a flip, the lighting."""
    draws = np.empty(COLUMNS, dtype=np.float32)
    order = tuple(int(choice) for choice in draw.permutation(len(OPERATIONS)))
    for choice in order:
        draws[choice] = draw.uniform(1 - JITTER, 1 + JITTER)
    draws[ORDER] = ORDERS.index(order)
    draws[FLIP] = draw.random() < 0.5
    draws[LIGHTING] = draw.normal(0, LIGHTING_STD, LIGHTING_COLUMNS)
    return draws


def draw_lighting(draw: np.random.Generator) -> NDArray[np.float32]:
    """The draws (3,) of an image that takes neither jitter nor flip: its lighting."""
    return draw.normal(0, LIGHTING_STD, LIGHTING_COLUMNS).astype(np.float32)


def augmented(pixels: Pixels) -> Pixels:
    """The image with its jitter and flip done; its draws are those of the lighting."""
    draws = pixels.draws
    if len(draws) != COLUMNS:
        return pixels
    image = pixels.image.to(torch.float32, memory_format=torch.contiguous_format)
    for operation in ORDERS[int(draws[ORDER])]:
        image = adjusted(image, operation, float(draws[operation]))
    # NumPy's conversion is several times faster than torch's.
    whole = torch.from_numpy(image.numpy().astype(np.uint8))
    return Pixels(whole.flip(2) if draws[FLIP] else whole, pixels.label, draws[LIGHTING])


def adjusted(image: Tensor, operation: int, factor: float) -> Tensor:
    """One of OPERATIONS on an image (3, H, W), whole numbers of 0 to 255 as floats."""
    if operation == 0:
        return image.mul_(factor).clamp_(max=255).floor_()
    origin = grey_of(image)
    return moved(image, mean_of(origin) if operation == 1 else origin, factor)


def moved(image: Tensor, origin: Tensor, factor: float | Tensor) -> Tensor:
    """The image moved away from its greys, within 0 to 255, without what is behind the point."""
    return image.sub_(origin).mul_(factor).add_(origin).clamp_(0, 255).floor_()


def grey_of(images: Tensor) -> Tensor:
    """The greys (…, 1, H, W) of images (…, 3, H, W): whole numbers, of which float32 loses none."""
    red, green, blue = (images.narrow(-3, channel, 1) for channel in range(3))
    weights = GREY_WEIGHTS
    grey = (red * weights[0]).add_(green, alpha=weights[1]).add_(blue, alpha=weights[2])
    return grey.add_(1 << GREY_SHIFT - 1).mul_(1 / (1 << GREY_SHIFT)).floor_()


def mean_of(greys: Tensor) -> Tensor:
    """The mean (…, 1, 1, 1) of greys (…, 1, H, W), as a whole number."""
    height, width = greys.shape[-2:]
    # The sum of a row is below 2**24, which float32 holds exactly.
    total = greys.sum(-1, keepdim=True).double().sum((-3, -2), keepdim=True)
    return total.div_(height * width).add_(0.5).floor_().float()

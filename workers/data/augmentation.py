"""Colour jitter and flip of the series, and the random numbers that they and the lighting take.

The arithmetic is Pillow's, on which torchvision's ColorJitter rests: each operation moves every
pixel away from a grey, `grey + factor * (pixel - grey)`, and drops what is behind the point.
"""

from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
    image = pixels.image
    for operation in ORDERS[int(draws[ORDER])]:
        image = _OPERATIONS[operation](image, draws[operation])
    if draws[FLIP]:
        image = image[:, ::-1]
    return Pixels(image, pixels.label, draws[LIGHTING])


def adjust_brightness(image: NDArray[np.uint8], factor: np.float32) -> NDArray[np.uint8]:
    """The image (H, W, 3) moved away from black."""
    return _away_from(image, 0, factor)


def adjust_contrast(image: NDArray[np.uint8], factor: np.float32) -> NDArray[np.uint8]:
    """The image (H, W, 3) moved away from the mean of its greys, as a whole number."""
    return _away_from(image, int(_grey(image).mean() + 0.5), factor)


def adjust_saturation(image: NDArray[np.uint8], factor: np.float32) -> NDArray[np.uint8]:
    """The image (H, W, 3) moved away from its greys."""
    grey = _grey(image).astype(np.float32)[..., None]
    moved: NDArray[np.uint8] = (grey + factor * (image - grey)).clip(0, 255).astype(np.uint8)
    return moved


_OPERATIONS = (adjust_brightness, adjust_contrast, adjust_saturation)
_LEVELS = np.arange(256, dtype=np.float32)


def _away_from(image: NDArray[np.uint8], grey: int, factor: np.float32) -> NDArray[np.uint8]:
    level = np.float32(grey)
    table = (level + factor * (_LEVELS - level)).clip(0, 255).astype(np.uint8)
    return table[image]


def _grey(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    red, green, blue = (image[..., channel].astype(np.int32) for channel in range(3))
    weights = GREY_WEIGHTS
    weighted = red * weights[0] + green * weights[1] + blue * weights[2]
    grey: NDArray[np.int32] = (weighted + (1 << GREY_SHIFT - 1)) >> GREY_SHIFT
    return grey

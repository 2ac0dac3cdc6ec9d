"""The picture of a confusion matrix."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SMALLEST_PIXELS = 320
_PAPER, _INK = np.array([247, 249, 252]), np.array([24, 68, 168])


def confusion_png(confusion: NDArray[np.int64]) -> tuple[bytes, tuple[int, int]]:
    """A matrix (class, predicted class) as a PNG with its (width, height).

    The darker a field is, the more of its row's images are in it.
    """
    totals = np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    shares = np.sqrt(confusion / totals)[..., None]
    picture = Image.fromarray((_PAPER + shares * (_INK - _PAPER)).astype(np.uint8), "RGB")
    scale = -(-_SMALLEST_PIXELS // len(confusion))
    if scale > 1:
        size = (picture.width * scale, picture.height * scale)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    encoded = io.BytesIO()
    picture.save(encoded, "PNG")
    return encoded.getvalue(), picture.size

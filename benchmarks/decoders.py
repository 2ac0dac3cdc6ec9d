"""Decoders of JPEG that are compared: each from a file's bytes to 8-bit RGB in memory."""

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import simplejpeg
import torch
from PIL import Image
from torchvision.io import decode_jpeg


def _pillow(data: bytes) -> object:
    return np.asarray(Image.open(BytesIO(data)))


def _torchvision(data: bytes) -> object:
    return decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8))


def _opencv(data: bytes) -> object:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


DECODERS: dict[str, Callable[[bytes], object]] = {
    "Pillow": _pillow,
    "torchvision": _torchvision,
    "OpenCV": _opencv,
    "simplejpeg": simplejpeg.decode_jpeg,
}
"""At the full size."""


def _pillow_draft(data: bytes) -> object:
    image = Image.open(BytesIO(data))
    image.draft("RGB", (image.width // 8, image.height // 8))
    return np.asarray(image)


def _simplejpeg_reduced(data: bytes) -> object:
    return simplejpeg.decode_jpeg(data, min_height=1, min_width=1, min_factor=8)


REDUCED_DECODERS: dict[str, Callable[[bytes], object]] = {
    "Pillow with draft": _pillow_draft,
    "simplejpeg": _simplejpeg_reduced,
}
"""Those that can decode at an eighth of the size."""

"""Decoders of JPEG that were compared: each from a file's bytes to 8-bit RGB in memory."""

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

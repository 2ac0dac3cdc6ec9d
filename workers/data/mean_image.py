"""Reads the mean image that the preprocessing `bgr255_minus_mean` subtracts."""

import math
import stat
from io import BytesIO
from pathlib import Path
from xml.parsers import expat

import numpy as np
import torch
from torch import Tensor

from workers.data.errors import InvalidData

MEAN_FILE = "mean.npy"
"""The file name of the mean image in a checkpoint folder, where an eval reads it."""

_LIMIT_BYTES = 256 << 20
_CHUNK_BYTES = 1 << 16
_SIZES = ("Row", "Col", "Channel")


class WrongMeanShape(InvalidData):
    """A mean image whose size is not that of the network's input."""


def read_mean_image(path: Path, image_size: int) -> Tensor:
    """The mean image (3, S, S) in BGR order, 0 to 255, float32, S = `image_size`.

    An `.xml` file is OpenCV's FileStorage with Row, Col, Channel and a MeanImg of H x W x 3
    numbers, as published (ImageNet_1000_scale224_mean.xml). An `.npy` file has the shape
    (3, S, S). The mean is subtracted after the crop, as in the original. Raises InvalidData and
    WrongMeanShape.
    """
    if _size_of(path) > _LIMIT_BYTES:
        raise InvalidData(f"mean image {path.name} is larger than {_LIMIT_BYTES >> 20} MiB")
    if path.suffix not in (".xml", ".npy"):
        raise InvalidData(f"mean image {path.name} is not named .xml or .npy")
    mean = _from_xml(path) if path.suffix == ".xml" else _from_npy(path)
    if mean.shape != (3, image_size, image_size):
        raise WrongMeanShape(
            f"mean image {path.name} has the shape {list(mean.shape)}, "
            f"not {[3, image_size, image_size]} as images of {image_size} pixels need"
        )
    if not bool(((mean >= 0) & (mean <= 255)).all()):
        raise InvalidData(f"mean image {path.name} has values that are not within 0 to 255")
    return mean


def mean_bytes(mean: Tensor) -> bytes:
    """The mean image as the `.npy` file of a checkpoint."""
    body = BytesIO()
    np.save(body, mean.numpy())
    return body.getvalue()


def _size_of(path: Path) -> int:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise InvalidData(f"mean image {path.name}: the file does not exist") from error
    except OSError as error:
        raise InvalidData(f"mean image {path.name} cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidData(f"mean image {path.name} is not a regular file")
    return status.st_size


def _from_npy(path: Path) -> Tensor:
    try:
        stored = np.load(path, allow_pickle=False)
    except Exception as error:  # Whatever a file of a user makes NumPy raise.
        raise InvalidData(f"mean image {path.name} is not a readable .npy file: {error}") from error
    if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "fiu":
        raise InvalidData(f"mean image {path.name} does not contain an array of numbers")
    return torch.from_numpy(np.ascontiguousarray(stored, dtype=np.float32))


def _from_xml(path: Path) -> Tensor:
    storage = _Storage()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                storage.feed(chunk)
        storage.feed(b"", final=True)
        sizes = [int(storage.text(name)) for name in _SIZES]
        values = np.array(storage.text("data").split(), dtype=np.float32)
    except Exception as error:  # Whatever a file of a user makes expat and NumPy raise.
        raise InvalidData(
            f"mean image {path.name} is not an OpenCV FileStorage: {error}"
        ) from error
    if min(sizes) < 1 or math.prod(sizes) != values.size:
        raise WrongMeanShape(
            f"mean image {path.name} has {values.size} numbers, not {' x '.join(map(str, sizes))}"
        )
    return torch.from_numpy(values).view(*sizes).permute(2, 0, 1).contiguous()


class _Storage:
    # expat instead of an element tree: a document type, which entity attacks need, is refused at
    # its start, and no tree is built from an untrusted file.
    def __init__(self) -> None:
        self._open: list[str] = []
        self._texts: dict[str, list[str]] = {}
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        self._parser.Parse(chunk, final)

    def text(self, name: str) -> str:
        if name not in self._texts:
            raise ValueError(f"it has no element {name}")
        return "".join(self._texts[name])

    def _refuse_doctype(self, *_: object) -> None:
        raise ValueError("it declares a document type")

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._open.append(name)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        path = self._open[1:]
        if path in (["MeanImg", "data"], *([name] for name in _SIZES)):
            self._texts.setdefault(path[-1], []).append(text)

"""Matches the classes of weights with those of images: by name wherever both have names.

Imports no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.data.images import (
    EncodedImages,
    EncodedPixels,
    ImageDataset,
    PixelImages,
    Pixels,
    is_in_memory,
)

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

Match = Literal["name", "position"]
_SHOWN = 5


class ClassesDiffer(ValueError):
    """Two sets of class names are not the same; the message names the difference."""


@dataclass(frozen=True)
class ClassOrder:
    """The class of each row of a classifier, and how the rows were matched with the images."""

    names: tuple[str, ...]
    matched_by: Match


def match_classes(rows: Sequence[str], images: Sequence[str]) -> ClassOrder:
    """The order of a classifier's `rows`, if they have the names of the images' classes.

    The names may come in any order; those of the images are unique. Rows without names, and with
    names that are not unique, can only be matched by position. Raises ClassesDiffer.
    """
    if len(set(rows)) != max(len(rows), 1):
        return ClassOrder(tuple(images), "position")
    wrong = difference(rows, images, "the data")
    if wrong:
        raise ClassesDiffer(wrong)
    return ClassOrder(tuple(rows), "name")


def difference(expected: Sequence[str], names: Sequence[str], owner: str) -> str:
    """What the names of an owner lack, and what they have besides the expected ones; or empty.

    Such as `val_dir lacks dog; cat is new`, with the first five names of each kind.
    """
    before, now = set(expected), set(names)
    missing = [name for name in expected if name not in now]
    new = [name for name in names if name not in before]
    parts = [f"{owner} lacks {_listed(missing)}"] if missing else []
    if new:
        parts.append(f"{_listed(new)} {'is' if len(new) == 1 else 'are'} new")
    return "; ".join(parts)


def in_class_order(images: ImageDataset, names: tuple[str, ...]) -> ImageDataset:
    """The images with labels that count in the order of `names`, which are all their classes."""
    if images.class_names == names:
        return images
    if isinstance(images, EncodedImages):
        return _EncodedInClassOrder(images, names)
    if isinstance(images, PixelImages):
        return _PixelsInClassOrder(images, names)
    return _ImagesInClassOrder(images, names)


class _ImagesInClassOrder:
    def __init__(self, images: ImageDataset, names: tuple[str, ...]) -> None:
        self.class_names = names
        self.in_memory = is_in_memory(images)
        self._images = images
        rows = {name: row for row, name in enumerate(names)}
        self._rows = [rows[name] for name in images.class_names]

    def __len__(self) -> int:
        return len(self._images)

    def sample(self, epoch: int, index: int) -> "tuple[Tensor, int]":
        image, label = self._images.sample(epoch, index)
        return image, self._rows[label]

    def label_of(self, index: int) -> int:
        return self._rows[self._images.label_of(index)]

    def name_of(self, index: int) -> str:
        return self._images.name_of(index)

    def picture(self, index: int) -> "Image.Image":
        return self._images.picture(index)


class _PixelsInClassOrder(_ImagesInClassOrder):
    def __init__(self, images: PixelImages, names: tuple[str, ...]) -> None:
        super().__init__(images, names)
        self.batch_transform = images.batch_transform
        self._pixels = images.pixels

    def pixels(self, epoch: int, index: int) -> Pixels:
        pixels = self._pixels(epoch, index)
        return pixels._replace(label=self._rows[pixels.label])


class _EncodedInClassOrder(_PixelsInClassOrder):
    def __init__(self, images: EncodedImages, names: tuple[str, ...]) -> None:
        super().__init__(images, names)
        self._encoded = images.encoded

    def encoded(self, epoch: int, index: int) -> EncodedPixels | Pixels:
        image = self._encoded(epoch, index)
        return image._replace(label=self._rows[image.label])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{len(names)} classes ({shown}, …)"

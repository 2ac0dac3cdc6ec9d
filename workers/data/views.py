"""Some of a split's images, or all of them with labels that count otherwise. Imports no torch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

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


def view_of(
    images: ImageDataset, indices: Sequence[int], names: tuple[str, ...], rows: Sequence[int]
) -> ImageDataset:
    """The images at `indices`; the label that was `l` is now `rows[l]`, and counts in `names`.

    An image keeps the randomness that it has by its index among all.
    """
    if isinstance(images, EncodedImages):
        return _EncodedView(images, indices, names, rows)
    if isinstance(images, PixelImages):
        return _PixelView(images, indices, names, rows)
    return _View(images, indices, names, rows)


class _View:
    def __init__(
        self,
        images: ImageDataset,
        indices: Sequence[int],
        names: tuple[str, ...],
        rows: Sequence[int],
    ) -> None:
        self.class_names = names
        self.in_memory = is_in_memory(images)
        self._images, self._indices, self._rows = images, indices, rows

    def __len__(self) -> int:
        return len(self._indices)

    def sample(self, epoch: int, index: int) -> "tuple[Tensor, int]":
        image, label = self._images.sample(epoch, self._indices[index])
        return image, self._rows[label]

    def label_of(self, index: int) -> int:
        return self._rows[self._images.label_of(self._indices[index])]

    def name_of(self, index: int) -> str:
        return self._images.name_of(self._indices[index])

    def picture(self, index: int) -> "Image.Image":
        return self._images.picture(self._indices[index])


class _PixelView(_View):
    def __init__(
        self,
        images: PixelImages,
        indices: Sequence[int],
        names: tuple[str, ...],
        rows: Sequence[int],
    ) -> None:
        super().__init__(images, indices, names, rows)
        self.batch_transform = images.batch_transform
        self._pixels = images.pixels

    def pixels(self, epoch: int, index: int) -> Pixels:
        pixels = self._pixels(epoch, self._indices[index])
        return pixels._replace(label=self._rows[pixels.label])


class _EncodedView(_PixelView):
    def __init__(
        self,
        images: EncodedImages,
        indices: Sequence[int],
        names: tuple[str, ...],
        rows: Sequence[int],
    ) -> None:
        super().__init__(images, indices, names, rows)
        self._encoded = images.encoded

    def encoded(self, epoch: int, index: int) -> EncodedPixels | Pixels:
        image = self._encoded(epoch, self._indices[index])
        return image._replace(label=self._rows[image.label])

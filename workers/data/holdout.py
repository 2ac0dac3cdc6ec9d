"""Images of a training split that are kept from training, for the search of a supernet alone.

Each `every`-th image is: that of index i where `i % every == every - 1`; none where `every` is 0.
Imports no torch.
"""

from array import array
from collections.abc import Sequence

from workers.data.images import ImageDataset
from workers.data.views import view_of


def held_out(size: int, every: int) -> range:
    """The indices of a split of `size` images that are kept from training, in their order."""
    assert every != 1, "nothing would be left to train on"
    return range(every - 1, size, every) if every else range(0)


def trained_on(size: int, every: int) -> Sequence[int]:
    """The indices of a split of `size` images that a supernet is trained on, in their order."""
    if not every:
        return range(size)
    left_out = held_out(size, every)
    # Not a list: every loader process has it, and a split may have millions.
    return array("q", (index for index in range(size) if index not in left_out))


def images_trained_on(images: ImageDataset, every: int) -> ImageDataset:
    """The images of a training split without those that are held out."""
    return _selected(images, trained_on(len(images), every)) if every else images


def images_held_out(images: ImageDataset, every: int) -> ImageDataset:
    """The images of a training split that are held out."""
    return _selected(images, held_out(len(images), every))


def _selected(images: ImageDataset, indices: Sequence[int]) -> ImageDataset:
    return view_of(images, indices, images.class_names, range(len(images.class_names)))

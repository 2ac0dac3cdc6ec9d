"""The images of a training split without those that are held out for a search, and those alone.

Imports no torch.
"""

from array import array
from collections.abc import Sequence

from service.contract.holdout import held_out
from workers.data.images import ImageDataset
from workers.data.views import view_of

__all__ = ["held_out", "images_held_out", "images_trained_on", "trained_on"]


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

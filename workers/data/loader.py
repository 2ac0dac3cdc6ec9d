"""Batches for training and validation, made in this process or in loader processes."""

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.queues import Queue
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate, get_worker_info

from service.contract.kernel import die_with_parent
from workers.data.augmentation import AugmentOn, augmented
from workers.data.encoded_batch import EncodedBatch, encoded_batch_of
from workers.data.errors import DataError
from workers.data.images import EncodedImages, ImageDataset, PixelImages, Pixels
from workers.data.sampler import batch_keys

BATCHES_AHEAD = 2
"""How many batches each loader process prepares before they are asked for."""
_Key = tuple[int, int]


class Batch(NamedTuple):
    """Images of a batch and what is left to do with them (`workers.data.batch_transform`).

    `images` (N, 3, S, S) are uint8 in RGB, or floats: the network's input. `labels` are int64 (N,).
    `draws` (N, D), float32, are the random numbers of `workers.data.augmentation`.
    """

    images: Tensor
    labels: Tensor
    draws: Tensor

    def to(self, device: torch.device, *, non_blocking: bool = False) -> "Batch":
        """The batch on a device."""
        return Batch(*(part.to(device, non_blocking=non_blocking) for part in self))


LoadedBatch = Batch | EncodedBatch


def batch_of(pixels: Sequence[Pixels]) -> Batch:
    """The batch of images of the same size; raises ValueError if they are not."""
    return Batch(
        _stacked([one.image for one in pixels]),
        torch.tensor([one.label for one in pixels]),
        torch.from_numpy(np.stack([one.draws for one in pixels])),
    )


def _stacked(images: list[Tensor]) -> Tensor:
    """The images (N, 3, S, S), in the order in memory that they have.

    In a loader process they are stacked in the memory that they are handed over in.
    """
    # Where the channels of a pixel follow each other, whole rows are copied at once.
    is_of_pixels = all(image.stride(0) == 1 for image in images)
    stacked: Tensor = default_collate(
        [image.permute(1, 2, 0) for image in images] if is_of_pixels else images
    )
    return stacked.permute(0, 3, 1, 2) if is_of_pixels else stacked


class _Batches(Dataset[LoadedBatch | DataError]):
    # DataError is returned, since torch puts a traceback into the message of a raised error.
    def __init__(self, images: ImageDataset, augment_on: AugmentOn) -> None:
        self._images, self._augment_on = images, augment_on

    def __getitem__(self, keys: list[_Key]) -> LoadedBatch | DataError:
        try:
            batch = self._batch(keys)
        except DataError as error:
            return error
        if get_worker_info() is not None:
            _share(batch)
        return batch

    def _batch(self, keys: list[_Key]) -> LoadedBatch:
        source = self._images
        if not isinstance(source, PixelImages) or source.batch_transform is None:
            images, labels = default_collate([source.sample(*key) for key in keys])
            return Batch(images, labels, images.new_empty((len(keys), 0)))
        pixels = (source.pixels(*key) for key in keys)
        if self._augment_on == "loader":
            pixels = (augmented(one) for one in pixels)
        return batch_of(list(pixels))


class _EncodedBatches(_Batches):
    def __init__(self, images: EncodedImages) -> None:
        super().__init__(images, "device")
        self._encoded = images.encoded

    def _batch(self, keys: list[_Key]) -> LoadedBatch:
        return encoded_batch_of([self._encoded(*key) for key in keys], keys)


def _share(batch: LoadedBatch) -> None:
    # Here a lack of memory is an error of the loader process. The thread that hands batches over
    # would lose this one, and the run would wait for it.
    for part in batch:
        if part.numel():
            part.share_memory_()  # type: ignore[no-untyped-call]


class _BatchKeys:
    def __init__(
        self, seed: int, size: int, batch_size: int, start_step: int, rank: int, world_size: int
    ) -> None:
        self._order = (seed, size, batch_size, start_step)
        self._rank, self._world_size = rank, world_size

    def __iter__(self) -> Iterator[list[_Key]]:
        return batch_keys(*self._order, rank=self._rank, world_size=self._world_size)


def train_batches(
    images: ImageDataset,
    *,
    seed: int,
    start_step: int,
    batch_size: int,
    num_workers: int,
    augment_on: AugmentOn = "loader",
    pinned: bool = False,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Batch]:
    """Endless batches that begin with the batch after `start_step`.

    Their size is the rank's share of `batch_size`. `num_workers` loader processes change nothing in
    them. With `augment_on` "device", jitter and flip are left to the transform of the batch. With
    `pinned`, which needs CUDA, a thread puts them into pinned memory.
    Raises InvalidData for an image that does not decode, and NoDataRoot.
    """
    keys = _BatchKeys(seed, len(images), batch_size, start_step, rank, world_size)
    return _decoded(_batches(_Batches(images, augment_on), keys, num_workers, pinned))


def encoded_train_batches(
    images: EncodedImages,
    *,
    seed: int,
    start_step: int,
    batch_size: int,
    num_workers: int,
    pinned: bool = False,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[LoadedBatch]:
    """The batches of `train_batches` with JPEG files that are left to be decoded.

    Their images are not augmented. Raises InvalidData for any other file that does not decode, and
    NoDataRoot.
    """
    assert images.batch_transform is not None, "a recipe's own preprocessing is of pixels"
    keys = _BatchKeys(seed, len(images), batch_size, start_step, rank, world_size)
    return _batches(_EncodedBatches(images), keys, num_workers, pinned)


def val_batches(
    images: ImageDataset,
    *,
    batch_size: int,
    num_workers: int,
    pinned: bool = False,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Batch]:
    """Batches of this rank's share of the images, each image once.

    The shares of all ranks together are all images. The last batch may be smaller, and a share may
    be empty. `pinned` is as for training. Raises InvalidData for an image that does not decode,
    and NoDataRoot.
    """
    keys = [(0, index) for index in range(rank, len(images), world_size)]
    batches = [keys[at : at + batch_size] for at in range(0, len(keys), batch_size)]
    # A process without a batch would cost a fork, and one batch alone has nothing to overlap with.
    processes = min(num_workers, len(batches)) if len(batches) > 1 else 0
    return _decoded(_batches(_Batches(images, "loader"), batches, processes, pinned))


def _decoded(batches: Iterator[LoadedBatch]) -> Iterator[Batch]:
    for batch in batches:
        assert isinstance(batch, Batch), "only encoded_train_batches leaves files"
        yield batch


def _batches(
    batches: _Batches, keys: Iterable[list[_Key]], num_workers: int, pinned: bool
) -> Iterator[LoadedBatch]:
    # Its own generator: a loader seed drawn from the default generator would change dropout.
    loader: DataLoader[LoadedBatch | DataError] = DataLoader(
        batches,
        # A sampler of whole batches: the data set is asked for each by the list of its keys.
        batch_size=None,
        sampler=keys,
        num_workers=num_workers,
        prefetch_factor=BATCHES_AHEAD if num_workers else None,
        pin_memory=pinned,
        # Forked processes share the open data set, and are children that end with this process.
        multiprocessing_context="fork" if num_workers else None,
        worker_init_fn=_PrepareProcess(os.getpid()) if num_workers else None,
        generator=torch.Generator().manual_seed(0),
    )
    for batch in loader:
        if isinstance(batch, DataError):
            raise batch
        yield batch


class _PrepareProcess:
    """Ends a loader process with the rank, and when it cannot hand a batch over."""

    def __init__(self, parent: int) -> None:
        self._parent = parent

    def __call__(self, _: int) -> None:
        die_with_parent(self._parent)
        # The queue's own hook prints the error, and the rank would wait for a batch that is lost.
        Queue._on_queue_feeder_error = staticmethod(_end_process)  # type: ignore[attr-defined]


def _end_process(error: Exception, _: object) -> None:
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(1)

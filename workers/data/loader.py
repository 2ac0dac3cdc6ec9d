"""Batches for training and validation, made in this process or in loader processes."""

import os
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from service.contract.kernel import die_with_parent
from workers.data.errors import DataError
from workers.data.images import ImageDataset
from workers.data.sampler import batch_keys

Batch = tuple[Tensor, Tensor]
_Key = tuple[int, int]
_Sample = tuple[Tensor, int] | DataError


class _KeyedDataset(Dataset[_Sample]):
    # DataError is returned, since torch puts a traceback into the message of a raised error.
    def __init__(self, images: ImageDataset) -> None:
        self._images = images

    def __getitem__(self, key: _Key) -> _Sample:
        try:
            return self._images.sample(*key)
        except DataError as error:
            return error


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
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Batch]:
    """Endless batches (N, 3, S, S), (N,) that begin with the batch after `start_step`.

    N is the rank's share of `batch_size`. `num_workers` loader processes do not change the batches.
    Raises InvalidData for an image that does not decode, and NoDataRoot.
    """
    keys = _BatchKeys(seed, len(images), batch_size, start_step, rank, world_size)
    return _batches(images, keys, num_workers)


def val_batches(
    images: ImageDataset,
    *,
    batch_size: int,
    num_workers: int,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Batch]:
    """Batches (N, 3, S, S), (N,) of this rank's share of the images, each image once.

    The shares of all ranks together are all images. The last batch may be smaller, and a share may
    be empty. Raises InvalidData for an image that does not decode, and NoDataRoot.
    """
    keys = [(0, index) for index in range(rank, len(images), world_size)]
    batches = [keys[at : at + batch_size] for at in range(0, len(keys), batch_size)]
    return _batches(images, batches, num_workers)


def _batches(images: ImageDataset, keys: Iterable[list[_Key]], num_workers: int) -> Iterator[Batch]:
    # Its own generator: a loader seed drawn from the default generator would change dropout.
    loader: DataLoader[_Sample] = DataLoader(
        _KeyedDataset(images),
        batch_sampler=keys,
        num_workers=num_workers,
        collate_fn=_collate,
        # Forked processes share the open data set, and are children that end with this process.
        multiprocessing_context="fork" if num_workers else None,
        worker_init_fn=_EndWithParent(os.getpid()) if num_workers else None,
        generator=torch.Generator().manual_seed(0),
    )
    for batch in loader:
        if isinstance(batch, DataError):
            raise batch
        images_and_labels: Batch = batch
        yield images_and_labels


def _collate(samples: list[_Sample]) -> Batch | DataError:
    wrong = next((sample for sample in samples if isinstance(sample, DataError)), None)
    if wrong is not None:
        return wrong
    images, labels = default_collate(samples)
    return images, labels


class _EndWithParent:
    def __init__(self, parent: int) -> None:
        self._parent = parent

    def __call__(self, _: int) -> None:
        die_with_parent(self._parent)

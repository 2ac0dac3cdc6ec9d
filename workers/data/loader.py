"""Batches, in this process or from loader processes that end with it."""

import ctypes
import signal
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from workers.data.images import ImageDataset
from workers.data.sampler import batch_keys

_PR_SET_PDEATHSIG = 1
Batch = tuple[Tensor, Tensor]


class _Keyed(Dataset[tuple[Tensor, int]]):
    def __init__(self, images: ImageDataset) -> None:
        self._images = images

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        return self._images.sample(*key)


class _Keys:
    def __init__(self, seed: int, size: int, batch_size: int, start_step: int) -> None:
        self._arguments = (seed, size, batch_size, start_step)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return batch_keys(*self._arguments)


def train_batches(
    images: ImageDataset, *, seed: int, start_step: int, batch_size: int, num_workers: int
) -> Iterator[Batch]:
    """Endless (N, 3, S, S), (N,) from the batch after `start_step`, whatever `num_workers`."""
    keys = _Keys(seed, len(images), batch_size, start_step)
    return iter(_loader(images, keys, num_workers))


def val_batches(images: ImageDataset, *, batch_size: int, num_workers: int) -> Iterator[Batch]:
    """Every image once, in order; the last batch may be short."""
    keys = [(0, index) for index in range(len(images))]
    batches = [keys[at : at + batch_size] for at in range(0, len(keys), batch_size)]
    return iter(_loader(images, batches, num_workers))


def _loader(
    images: ImageDataset, keys: "_Keys | list[list[tuple[int, int]]]", num_workers: int
) -> "DataLoader[tuple[Tensor, int]]":
    # A generator of its own: the loader's seed drawn from the default one would shift dropout.
    return DataLoader(
        _Keyed(images),
        batch_sampler=keys,
        num_workers=num_workers,
        worker_init_fn=_end_with_parent if num_workers else None,
        generator=torch.Generator().manual_seed(0),
    )


def _end_with_parent(_: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

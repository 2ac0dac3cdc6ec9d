"""The order in which samples are seen: a function of seed and epoch alone."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workers.data.errors import InvalidData


def order_of(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """The permutation of `size` samples in one epoch; every rank and every resumed run draws it."""
    return np.random.default_rng((seed, epoch)).permutation(size)


def batches_per_epoch(size: int, batch_size: int) -> int:
    """Whole batches in an epoch; raises InvalidData if the data set is smaller than one."""
    if batch_size > size:
        raise InvalidData(
            f"batch_size {batch_size} is larger than the training set of {size} images; "
            f"use at most {size}"
        )
    return size // batch_size


def batch_keys(
    seed: int, size: int, batch_size: int, start_step: int, *, rank: int = 0, world_size: int = 1
) -> Iterator[list[tuple[int, int]]]:
    """Endless (epoch, index) of a rank's slice of each batch, from the batch after `start_step`.

    `batch_size` is that of all ranks together, and a multiple of `world_size`.
    """
    assert batch_size % world_size == 0
    per_epoch = batches_per_epoch(size, batch_size)
    epoch, offset = divmod(start_step, per_epoch)
    share = batch_size // world_size
    while True:
        order = order_of(seed, epoch, size)
        for batch in range(offset, per_epoch):
            first = batch * batch_size + rank * share
            yield [(epoch, int(index)) for index in order[first : first + share]]
        epoch, offset = epoch + 1, 0

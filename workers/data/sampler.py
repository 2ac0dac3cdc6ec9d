"""The order of the samples, which depends on the seed and the epoch alone."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from service.contract.counts import count_text
from workers.data.errors import InvalidData


def order_of(seed: int, epoch: int, size: int) -> NDArray[np.int64]:
    """The permutation of `size` samples in one epoch, equal in every rank and resumed run."""
    return np.random.default_rng((seed, epoch)).permutation(size)


def batches_per_epoch(size: int, batch_size: int) -> int:
    """The full batches in an epoch; raises InvalidData if `batch_size` is larger than `size`."""
    if batch_size > size:
        raise InvalidData(
            f"batch_size {batch_size} is larger than the training set of "
            f"{count_text(size, 'image')}; use at most {size}"
        )
    return size // batch_size


def batch_keys(
    seed: int, size: int, batch_size: int, start_step: int, *, rank: int = 0, world_size: int = 1
) -> Iterator[list[tuple[int, int]]]:
    """Endless lists of the (epoch, index) of a rank's samples in each batch.

    The first list is of the batch after `start_step`. `batch_size` counts the samples of all ranks,
    and is a multiple of `world_size`.
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

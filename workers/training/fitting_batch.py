"""Which batch a device's memory has room for, tried once a larger one did not fit."""

from collections.abc import Callable
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

_FEWEST_IMAGES = 2
_MOST_TRIES = 6
_T = TypeVar("_T")


class BatchTooLarge(torch.OutOfMemoryError):
    """A device had no room for a step; `fitting` images of all ranks at once were tried and fitted.

    Without parts, that is a batch.
    """

    def __init__(self, problem: str, fitting: int | None) -> None:
        super().__init__(problem)
        self.fitting = fitting


def call_within_memory(
    call: Callable[[], _T], network: nn.Module, images: Tensor, world_size: int
) -> _T:
    """What `call` gives, which computes with the network on a rank's images (N, 3, S, S) at once.

    Raises BatchTooLarge where the device has no room for it.
    """
    try:
        return call()
    except torch.OutOfMemoryError as error:
        # Handled below: until the error is gone, it keeps what the call had allocated.
        problem = str(error)
    fitting = fitting_images(network, images)
    raise BatchTooLarge(problem, fitting and fitting * world_size)


def fitting_images(network: nn.Module, images: Tensor) -> int | None:
    """A half, a quarter … of the images (N, 3, S, S): the first part that a step has room for.

    None where none of six parts has. The gradients of the network are gone afterwards.
    """
    count = len(images)
    network.zero_grad()
    # A copy has none of the hooks by which several ranks average gradients: each rank tries alone.
    network = deepcopy(network)
    for _ in range(_MOST_TRIES):
        count //= 2
        if count < _FEWEST_IMAGES:
            return None
        if _fits(network, images[:count]):
            return count
    return None


def _fits(network: nn.Module, images: Tensor) -> bool:
    network.zero_grad()
    if images.is_cuda:
        torch.cuda.empty_cache()
    try:
        outputs = network(images)
        parts = (outputs,) if isinstance(outputs, Tensor) else outputs
        torch.stack([part.sum() for part in parts]).sum().backward()  # type: ignore[no-untyped-call]
    except torch.OutOfMemoryError:
        return False
    return True

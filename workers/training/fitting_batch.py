"""Which batch a device's memory has room for, tried once a larger one did not fit."""

import torch
from torch import Tensor, nn

_FEWEST_IMAGES = 2
_MOST_TRIES = 6


class BatchTooLarge(torch.OutOfMemoryError):
    """A device had no room for a step; `fitting` images of all ranks were tried and fitted."""

    def __init__(self, problem: str, fitting: int | None) -> None:
        super().__init__(problem)
        self.fitting = fitting


def fitting_images(network: nn.Module, images: Tensor) -> int | None:
    """A half, a quarter … of the images (N, 3, S, S): the first part that a step has room for.

    None where none of six parts has. The network is of no use afterwards: its gradients and
    statistics are those of the trial.
    """
    count = len(images)
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

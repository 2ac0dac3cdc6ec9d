"""Statistics of batch norm that are learnt anew, and put back."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from workers.training.batch_norm import set_momentum

PUBLISHED_MOMENTUM = 0.1
Average = Literal["cumulative", "moving"]


def momentum_of_batch(number: int, average: Average) -> float:
    """The share of the batch of this number, from 1, in the statistics.

    They are the mean over the batches, or as published a moving one of momentum 0.1, which a few
    batches leave far from it.
    """
    return 1 / number if average == "cumulative" else PUBLISHED_MOMENTUM


def recalibrate(network: nn.Module, batches: Iterable[Tensor], average: Average) -> None:
    """Learn the statistics from batches (N, 3, S, S) alone; the weights stay as they are.

    The network is left in train mode. Draws of the default generator, as for dropout, are taken
    back.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    network.train()
    devices = {tensor.device for tensor in network.buffers() if tensor.is_cuda}
    with torch.no_grad(), torch.random.fork_rng(list(devices)):
        for number, images in enumerate(batches, start=1):
            set_momentum(network, momentum_of_batch(number, average))
            network(images)


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """After the block the statistics of every batch norm are what they were before it."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    buffers = [{name: b.clone() for name, b in norm.named_buffers()} for norm in norms]
    momenta = [norm.momentum for norm in norms]
    try:
        yield
    finally:
        for norm, kept, momentum in zip(norms, buffers, momenta, strict=True):
            norm.momentum = momentum
            for name, buffer in norm.named_buffers():
                buffer.copy_(kept[name])

"""The multiply-adds of a network, counted while it computes."""

from typing import Any

import torch
from torch import Tensor, nn


def counted_multiply_adds(network: nn.Module, side: int = 224) -> int:
    """Of convolutions and linear layers for one image; the network is on the meta device."""
    total = 0

    def count(module: nn.Module, _: Any, output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    for module in network.modules():
        module.register_forward_hook(count)
    network.eval()(torch.zeros(1, 3, side, side, device="meta"))
    return total

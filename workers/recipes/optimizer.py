"""SGD and its schedule, as every original `train.py` has them."""

from typing import Any

import torch
from torch import nn

from workers.recipes.params import RecipeParams


def sgd(network: nn.Module, params: RecipeParams) -> torch.optim.SGD:
    """SGD, with weight decay only on tensors of two or more dimensions that are named `weight`."""
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        (decayed if "weight" in name and parameter.dim() > 1 else plain).append(parameter)
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.SGD(
        groups,
        lr=params.learning_rate,
        momentum=params.momentum,
        weight_decay=params.weight_decay,
    )


def learning_rate(params: RecipeParams, step: int) -> float:
    """`lr * (1 - t/T)` at iteration t = 1 … T."""
    return params.learning_rate * (1.0 - step / params.total_iters)

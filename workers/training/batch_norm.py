"""What batch norm needs of a batch, and its momentum while it is recalibrated."""

from copy import deepcopy

import torch
from torch import nn

from workers.data.errors import InvalidData
from workers.recipes.params import RecipeParams
from workers.training.distributed import Ranks

_ONE_VALUE = "Expected more than 1 value per channel"
"""How torch refuses to normalise a channel with a single value, which has no variance."""


def require_two_values(network: nn.Module, ranks: Ranks, params: RecipeParams) -> None:
    """Raise InvalidData if one image at once gives any batch norm of the network a single value.

    It is so where a map has one pixel: the last one of small images, or one within squeeze-excite
    at any size. The network itself is asked, by one image, and stays as it is.
    """
    size = params.image_size
    example = torch.zeros(1, 3, size, size, device=ranks.device)
    with torch.no_grad(), torch.random.fork_rng([ranks.device] if example.is_cuda else []):
        try:
            deepcopy(network).train()(example)
        except ValueError as error:
            if _ONE_VALUE not in str(error):
                raise
            raise InvalidData(
                "batch norm needs two values of each channel, and one image a rank gives it one: "
                f"use {_more_images(params, ranks)}"
            ) from error


def _more_images(params: RecipeParams, ranks: Ranks) -> str:
    batch_size = f"a batch_size of {2 * ranks.world_size * params.accumulate} or more"
    return f"a smaller accumulate, or {batch_size}" if params.accumulate > 1 else batch_size


def set_momentum(network: nn.Module, momentum: float) -> None:
    """Set the share of the newest batch in the statistics of every batch norm."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = momentum

"""Batch norm over the images of all ranks, on the CPU and on CUDA.

torch's own `SyncBatchNorm` has kernels for GPUs alone, and is no `BatchNorm2d`.
"""

from copy import deepcopy
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.functional import batch_norm

from workers.data.errors import InvalidData
from workers.recipes.params import RecipeParams
from workers.training.distributed import Ranks


def is_synchronised(params: RecipeParams, ranks: Ranks) -> bool:
    """Whether the statistics of a training step are those of several ranks."""
    return params.batch_norm == "synchronised" and ranks.world_size > 1


def images_of_statistics(params: RecipeParams, ranks: Ranks) -> int:
    """Over how many images at once batch norm takes its statistics; raises InvalidData."""
    part = ranks.part_of(params.batch_size, params.accumulate)
    return part * (ranks.world_size if is_synchronised(params, ranks) else 1)


def synchronise(network: nn.Module, ranks: Ranks) -> None:
    """Have every batch norm take its statistics over all ranks in training, in place.

    Weights, statistics and their names stay. Raises InvalidData for a network with another kind.
    """
    synchronised: dict[nn.Module, SynchronisedBatchNorm2d] = {}
    # One module may have two names.
    for name, module in list(network.named_modules(remove_duplicate=False)):
        if isinstance(module, SynchronisedBatchNorm2d | nn.SyncBatchNorm):
            continue
        if type(module) is nn.BatchNorm2d:
            if module not in synchronised:
                synchronised[module] = SynchronisedBatchNorm2d(module, ranks)
            network.set_submodule(name, synchronised[module])
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise InvalidData(
                f"batch_norm synchronised: the network has a {type(module).__name__}, and only "
                "BatchNorm2d can be synchronised; set batch_norm to local"
            )


class SynchronisedBatchNorm2d(nn.BatchNorm2d):
    """A BatchNorm2d whose statistics in training are those of the images (N, C, H, W) of all ranks.

    N is the same on each rank. The weights and statistics are those of `local`, the very tensors. A
    deep copy is a plain BatchNorm2d: with a copy a rank tries something alone.
    """

    def __init__(self, local: nn.BatchNorm2d, ranks: Ranks) -> None:
        super().__init__(local.num_features, device="meta")
        self.__dict__.update(local.__dict__)
        self._ranks = ranks

    def forward(self, images: Tensor) -> Tensor:
        """The normalised images; in training all ranks call it together."""
        if not self.training:
            return super().forward(images)
        arguments = (images, self.weight, self.bias, self.eps, self._ranks)
        normalised, mean, variance = _Normalisation.apply(*arguments)
        values = _values_of_channel(images, self._ranks)
        self._track(mean, variance * values / (values - 1))
        return cast(Tensor, normalised)

    def __deepcopy__(self, memo: dict[int, Any]) -> nn.BatchNorm2d:
        state = {name: value for name, value in self.__dict__.items() if name != "_ranks"}
        local = nn.BatchNorm2d.__new__(nn.BatchNorm2d)
        local.__dict__.update(deepcopy(state, memo))
        return local

    def _track(self, mean: Tensor, variance: Tensor) -> None:
        tracked = (self.running_mean, self.running_var, self.num_batches_tracked)
        if tracked[0] is None or tracked[1] is None or tracked[2] is None:
            return
        tracked[2].add_(1)
        share = 1.0 / float(tracked[2]) if self.momentum is None else self.momentum
        for running, newest in zip(tracked, (mean, variance), strict=False):
            assert running is not None
            running.mul_(1 - share).add_(newest, alpha=share)


class _Normalisation(Function):
    """Gives the normalised images, and mean and biased variance (C,) over all ranks."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        eps: float,
        ranks: Ranks,
    ) -> tuple[Tensor, Tensor, Tensor]:
        mean, variance = _moments(images, ranks)
        ctx.save_for_backward(images, weight, mean, variance)
        ctx.eps, ctx.ranks = eps, ranks
        ctx.mark_non_differentiable(mean, variance)
        normalised = batch_norm(images, mean, variance, weight, bias, training=False, eps=eps)
        return normalised, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        images, weight, mean, variance = ctx.saved_tensors
        # Of a network in eval these are the gradients of weight and bias: sums over this rank.
        _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
            *(gradient, images, weight, mean, variance, None, None, False, ctx.eps),
            [False, True, True],
        )
        sums = torch.stack([of_weight, of_bias])
        dist.all_reduce(sums, group=ctx.ranks.gradients)
        slope, shift = sums / _values_of_channel(images, ctx.ranks)
        scale = torch.rsqrt(variance + ctx.eps)
        scale = scale if weight is None else scale * weight
        # What goes through mean and variance.
        statistics = batch_norm(
            images, mean, variance, scale * slope, scale * shift, training=False, eps=ctx.eps
        )
        of_images = (gradient * scale[:, None, None] - statistics).to(images.dtype)
        if weight is None:
            return of_images, None, None, None, None
        return of_images, of_weight, of_bias, None, None


def _moments(images: Tensor, ranks: Ranks) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel over the images of all ranks, in fp32 or better."""
    precise = images.to(torch.promote_types(images.dtype, torch.float32))
    variance, mean = torch.var_mean(precise, dim=(0, 2, 3), correction=0)
    own = torch.stack([mean, variance])
    gathered = own.new_empty((ranks.world_size * len(own), own.shape[1]))
    # Not summed on the way: each rank computes the same bits of them.
    dist.all_gather_into_tensor(gathered, own, group=ranks.gradients)
    means, variances = gathered[::2], gathered[1::2]
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


def _values_of_channel(images: Tensor, ranks: Ranks) -> int:
    return images.numel() // images.shape[1] * ranks.world_size

"""The split of channels with which a shuffle unit begins (arXiv:1807.11164)."""

from typing import Any

import torch
from torch import Tensor


def split_channels(x: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) -> the channels of even and of odd index, (N, C/2, H, W) each."""
    if torch.compiler.is_compiling() or not x.requires_grad:
        # A compiler fuses the gradients of slices itself.
        return x[:, 0::2], x[:, 1::2]
    even, odd = _Split.apply(x)
    return even, odd


def split_shuffled(x: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) -> two (N, C/2, H, W): the first quarter and the third one, and the others.

    The channels of both quarters alternate. Source: `channel_shuffle1` of megvii-model/DetNAS.
    """
    count, channels, height, width = x.shape
    halves = x.reshape(count, 2, channels // 2, height, width).transpose(1, 2)
    first, second = halves.reshape(count, channels, height, width).chunk(2, 1)
    return first, second


class _Split(torch.autograd.Function):
    """Slices whose two gradients are written into one tensor.

    Those of plain slices are each filled up with zeros and then added: five passes over memory.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        is_last = x.is_contiguous(memory_format=torch.channels_last)
        ctx.memory_format = torch.channels_last if is_last else torch.contiguous_format
        return x[:, 0::2], x[:, 1::2]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        even, odd = gradients
        count, channels, height, width = even.shape
        whole = torch.empty(
            (count, 2 * channels, height, width),
            dtype=even.dtype,
            device=even.device,
            memory_format=ctx.memory_format,
        )
        whole[:, 0::2], whole[:, 1::2] = even, odd
        return whole

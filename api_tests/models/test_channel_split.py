"""The split of channels of a shuffle unit: the original's, forward and backward, bit for bit."""

import pytest
import torch
from torch import Tensor

from workers.networks.channel_split import split_channels


def _original(x: Tensor) -> tuple[Tensor, Tensor]:
    count, channels, height, width = x.shape
    x = x.reshape(count * channels // 2, 2, height * width).permute(1, 0, 2)
    even, odd = x.reshape(2, -1, channels // 2, height, width)
    return even, odd


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_split_and_its_gradient_are_the_originals(
    memory_format: torch.memory_format, dtype: torch.dtype
) -> None:
    images = torch.randn(3, 8, 5, 4).to(dtype, memory_format=memory_format)
    weights = torch.randn(2, 3, 4, 5, 4).to(dtype)
    results = []
    for split in (split_channels, _original):
        x = images.clone().requires_grad_()
        even, odd = split(x)
        (even * weights[0] + odd * weights[1]).sum().backward()
        assert x.grad is not None
        results.append((even.detach(), odd.detach(), x.grad))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*results, strict=True))
    assert results[0][2].is_contiguous(memory_format=memory_format)


def test_a_split_of_which_one_half_is_used_has_zeros_for_the_other() -> None:
    x = torch.ones(1, 4, 2, 2, requires_grad=True)
    split_channels(x)[1].sum().backward()
    assert x.grad is not None
    assert x.grad[0, :, 0, 0].tolist() == [0, 1, 0, 1]

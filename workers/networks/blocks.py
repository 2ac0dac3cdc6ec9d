"""The units and blocks that the families of the series share.

A shuffle unit splits its input into even and odd channels, and transforms one half. A group unit,
of ShuffleNetV1, transforms all channels in groups and shuffles the groups in between.
Sources: arXiv:1707.01083, arXiv:1807.11164 and the networks of megvii-model/ShuffleNet-Series,
whose state-dict names these modules keep.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from service.contract.search_spaces import KERNELS, XCEPTION
from workers.networks.channel_split import split_channels

Activation = Callable[[], nn.Module]
relu: Activation = partial(nn.ReLU, inplace=True)


def conv_bn(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """A convolution without bias that divides H and W by the stride, and a batch norm."""
    return [
        nn.Conv2d(
            channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(channels_out),
    ]


def conv_bn_act(
    channels_in: int,
    channels_out: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: Activation = relu,
) -> list[nn.Module]:
    """A convolution as of `conv_bn`, a batch norm, and an activation."""
    return [*conv_bn(channels_in, channels_out, kernel, stride, groups), activation()]


def group_shuffle(x: Tensor, groups: int) -> Tensor:
    """Reorder the channels of (N, C, H, W): the first of each group, the second of each, and so on.

    A group here is `groups` successive channels.
    """
    count, channels, height, width = x.shape
    grouped = x.reshape(count, channels // groups, groups, height, width)
    return grouped.transpose(1, 2).reshape(count, channels, height, width)


class ShuffleUnit(nn.Module):
    """Concatenates one half of the channels with `main` of the other half.

    With a `projection` (stride 2) there is no split: both branches take all channels.
    """

    def __init__(self, main: list[nn.Module], projection: list[nn.Module] | None) -> None:
        super().__init__()
        self.branch_main = nn.Sequential(*main)
        self.branch_proj = nn.Sequential(*projection) if projection is not None else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        if self.branch_proj is not None:
            return torch.cat((self.branch_proj(x), self.branch_main(x)), 1)
        even, odd = split_channels(x)
        return torch.cat((even, self.branch_main(odd)), 1)


class GroupUnit(nn.Module):
    """A unit of ShuffleNetV1: 1x1 in `first_groups`, depthwise 3x3, shuffle, 1x1 in `groups`.

    At stride 1 the input is added to the output; at stride 2 the pooled input is concatenated
    before the output.
    """

    def __init__(
        self, channels_in: int, channels_out: int, *, stride: int, groups: int, first_groups: int
    ) -> None:
        super().__init__()
        self.groups = groups
        middle = channels_out // 4
        new_channels = channels_out if stride == 1 else channels_out - channels_in
        self.branch_main_1 = nn.Sequential(
            *conv_bn_act(channels_in, middle, 1, groups=first_groups),
            *conv_bn(middle, middle, 3, stride, groups=middle),
        )
        self.branch_main_2 = nn.Sequential(*conv_bn(middle, new_channels, 1, groups=groups))
        self.branch_proj = nn.AvgPool2d(3, 2, 1) if stride == 2 else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        out: Tensor = self.branch_main_2(group_shuffle(self.branch_main_1(x), self.groups))
        if self.branch_proj is None:
            return (x + out).relu()
        return torch.cat((self.branch_proj(x), out.relu()), 1)


class SqueezeExcite(nn.Module):
    """Squeeze-and-excite with a hard sigmoid: scales each channel (arXiv:1709.01507)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.SE_opr = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            *conv_bn_act(channels, channels // 4, 1),
            nn.Conv2d(channels // 4, channels, 1, bias=False),
            nn.Hardsigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        scaled: Tensor = x * self.SE_opr(x)
        return scaled


def searched_unit(
    block: int,
    channels: int,
    channels_out: int,
    middle: int,
    *,
    stride: int,
    activation: Activation = relu,
) -> ShuffleUnit:
    """A unit of the search space: `block` 0, 1, 2 is inverted of kernel 3, 5, 7; 3 is xception."""
    if block == XCEPTION:
        return xception_unit(channels, channels_out, middle, stride=stride, activation=activation)
    kernel = KERNELS[block]
    return inverted_unit(
        channels, channels_out, middle, kernel=kernel, stride=stride, activation=activation
    )


def inverted_unit(
    channels: int,
    channels_out: int,
    middle: int,
    *,
    kernel: int,
    stride: int,
    activation: Activation = relu,
) -> ShuffleUnit:
    """A unit of 1x1 to `middle` channels, depthwise `kernel` x `kernel`, and 1x1 convolutions."""
    channels_in = channels if stride == 2 else channels // 2
    main = [
        *conv_bn_act(channels_in, middle, 1, activation=activation),
        *conv_bn(middle, middle, kernel, stride, groups=middle),
        *conv_bn_act(middle, channels_out - channels_in, 1, activation=activation),
    ]
    return ShuffleUnit(main, _projection(channels_in, kernel, stride, activation))


def xception_unit(
    channels: int,
    channels_out: int,
    middle: int,
    *,
    stride: int,
    activation: Activation = relu,
) -> ShuffleUnit:
    """A unit of three depthwise 3x3 convolutions, each followed by a 1x1 convolution."""
    channels_in = channels if stride == 2 else channels // 2
    main = [
        *conv_bn(channels_in, channels_in, 3, stride, groups=channels_in),
        *conv_bn_act(channels_in, middle, 1, activation=activation),
        *conv_bn(middle, middle, 3, groups=middle),
        *conv_bn_act(middle, middle, 1, activation=activation),
        *conv_bn(middle, middle, 3, groups=middle),
        *conv_bn_act(middle, channels_out - channels_in, 1, activation=activation),
    ]
    return ShuffleUnit(main, _projection(channels_in, 3, stride, activation))


def initialize(network: nn.Module) -> None:
    """Initialise the weights as published, with random numbers of torch's default generator."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            narrow = "first" in name or "SE" in name
            nn.init.normal_(module.weight, 0, 0.01 if narrow else 1.0 / module.weight.shape[1])
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.constant_(module.bias, 0.0001)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _projection(
    channels: int, kernel: int, stride: int, activation: Activation
) -> list[nn.Module] | None:
    if stride == 1:
        return None
    return [
        *conv_bn(channels, channels, kernel, stride, groups=channels),
        *conv_bn_act(channels, channels, 1, activation=activation),
    ]

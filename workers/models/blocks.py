"""The blocks that the families of the series are built from.

A shuffle unit splits its input by channel parity: one half is passed on, the other transformed.
Source: arXiv:1807.11164 and the networks of megvii-model/ShuffleNet-Series, whose state-dict names
these modules keep.
"""

import torch
from torch import Tensor, nn


def halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) -> the even and the odd channels, (N, C/2, H, W) each."""
    return x[:, 0::2], x[:, 1::2]


def conv_bn(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """A convolution that keeps the size (over the stride), and its batch norm."""
    return [
        nn.Conv2d(
            channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(channels_out),
    ]


def conv_bn_relu(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1
) -> list[nn.Module]:
    """The same, and a ReLU."""
    return [*conv_bn(channels_in, channels_out, kernel, stride), nn.ReLU(inplace=True)]


class ShuffleUnit(nn.Module):
    """A unit around `main`; at stride 2 nothing is split and both branches see all channels."""

    def __init__(self, main: list[nn.Module], projection: list[nn.Module] | None) -> None:
        super().__init__()
        self.branch_main = nn.Sequential(*main)
        self.branch_proj = nn.Sequential(*projection) if projection is not None else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        if self.branch_proj is not None:
            return torch.cat((self.branch_proj(x), self.branch_main(x)), 1)
        passed, transformed = halves(x)
        return torch.cat((passed, self.branch_main(transformed)), 1)


def inverted_unit(
    channels_in: int, channels_out: int, middle: int, *, kernel: int, stride: int
) -> ShuffleUnit:
    """1x1 to `middle`, depthwise kernel, 1x1; `channels_in` are those of the transformed branch."""
    main = [
        *conv_bn_relu(channels_in, middle, 1),
        *conv_bn(middle, middle, kernel, stride, groups=middle),
        *conv_bn_relu(middle, channels_out - channels_in, 1),
    ]
    return ShuffleUnit(main, _projection(channels_in, kernel, stride))


def xception_unit(channels_in: int, channels_out: int, middle: int, *, stride: int) -> ShuffleUnit:
    """Three depthwise 3x3 convolutions, each followed by a 1x1."""
    main = [
        *conv_bn(channels_in, channels_in, 3, stride, groups=channels_in),
        *conv_bn_relu(channels_in, middle, 1),
        *conv_bn(middle, middle, 3, groups=middle),
        *conv_bn_relu(middle, middle, 1),
        *conv_bn(middle, middle, 3, groups=middle),
        *conv_bn_relu(middle, channels_out - channels_in, 1),
    ]
    return ShuffleUnit(main, _projection(channels_in, 3, stride))


def initialize(network: nn.Module) -> None:
    """Draw the published initial weights from torch's default generator."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            deviation = 0.01 if "first" in name else 1.0 / module.weight.shape[1]
            nn.init.normal_(module.weight, 0, deviation)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.constant_(module.bias, 0.0001)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _projection(channels: int, kernel: int, stride: int) -> list[nn.Module] | None:
    if stride == 1:
        return None
    return [
        *conv_bn(channels, channels, kernel, stride, groups=channels),
        *conv_bn_relu(channels, channels, 1),
    ]

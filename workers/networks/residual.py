"""Modules that Large and ExLarge share: convolutions, squeeze-excite units, auxiliary heads."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from workers.networks.channel_split import split_channels


class ConvBN(nn.Module):
    """A convolution, a batch norm and, with `relu`, a ReLU, under their published names."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        relu: bool = True,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False
        )
        self.bn = nn.BatchNorm2d(channels_out, eps=eps)
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        out: Tensor = self.relu(self.bn(self.conv(x)))
        return out


class NamedLinear(nn.Module):
    """A linear layer whose published name in ExLarge and DetNAS ends in `fc`."""

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__()
        self.fc = nn.Linear(features_in, features_out)

    def forward(self, x: Tensor) -> Tensor:
        """(N, features_in) -> (N, features_out)."""
        out: Tensor = self.fc(x)
        return out


class SqueezeExciteUnit(nn.Module):
    """A unit whose main branch is scaled by squeeze-excite.

    The two linear layers have two names each in a state dict: `se_fc1` is `se_block.0`.
    """

    def __init__(self, main: Sequence[nn.Module], squeeze: nn.Module, excite: nn.Module) -> None:
        super().__init__()
        self.branch_main = nn.Sequential(*main)
        self.se_globalpool = nn.AdaptiveAvgPool2d(1)
        self.se_fc1 = squeeze
        self.se_fc2 = excite
        self.se_block = nn.Sequential(self.se_fc1, nn.ReLU(inplace=True), self.se_fc2, nn.Sigmoid())

    def excite(self, x: Tensor) -> Tensor:
        """The output of the main branch (N, C, H, W), each channel scaled by squeeze-excite."""
        x = self.branch_main(x)
        scale = self.se_block(self.se_globalpool(x).flatten(1))
        scaled: Tensor = x * scale[:, :, None, None]
        return scaled


class AuxiliaryHead(nn.Module):
    """A classifier on the output of a stage, used in training only."""

    def __init__(
        self, channels_in: int, channels: int, num_classes: int, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.conv = nn.Sequential(
            ConvBN(channels_in, channels, 1, eps=eps), ConvBN(channels, channels, 3, eps=eps)
        )
        self.globalpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes)."""
        logits: Tensor = self.fc(self.globalpool(self.conv(self.maxpool(x))).flatten(1))
        return logits


class DeepNetwork(nn.Module):
    """Four stages, each with a classifier; the subclasses set the modules.

    In eval mode: images (N, 3, H, W) -> logits (N, num_classes). In train mode it returns four
    logits: of the last stage, and of the auxiliary heads on the third, second and first stage (of
    14, 28 and 56 pixels for images of 224).
    """

    first_conv: nn.Sequential
    features: nn.ModuleList
    predict_56: AuxiliaryHead
    predict_28: AuxiliaryHead
    predict_14: AuxiliaryHead
    conv_last: nn.Module
    maxpool: nn.Module
    globalpool: nn.Module
    dropout: nn.Module
    fc: nn.Module

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits (N, num_classes), or in train mode a tuple of four of them."""
        at_56 = self.features[0](self.maxpool(self.first_conv(x)))
        at_28 = self.features[1](at_56)
        at_14 = self.features[2](at_28)
        x = self.globalpool(self.conv_last(self.features[3](at_14)))
        logits: Tensor = self.fc(self.dropout(x).flatten(1))
        if not self.training:
            return logits
        return logits, self.predict_14(at_14), self.predict_28(at_28), self.predict_56(at_56)


def split_and_project(x: Tensor, projection: nn.Module | None) -> tuple[Tensor, Tensor]:
    """The even channels, through `projection` if it is not None, and the odd channels."""
    even, odd = split_channels(x)
    return (even if projection is None else projection(even)), odd


def concatenate(first: Tensor, second: Tensor) -> Tensor:
    """Two tensors of shape (N, C/2, H, W) concatenated to (N, C, H, W)."""
    return torch.cat((first, second), 1)

"""The backbones that DetNAS searched for detection, as classifiers (arXiv:1903.10979)."""

from collections import OrderedDict
from string import ascii_lowercase
from typing import NamedTuple

import torch
from torch import Tensor, nn

from service.contract.search_spaces import KERNELS, XCEPTION, placements
from workers.networks.blocks import (
    conv_bn,
    conv_bn_act,
    initialize,
    relu,
)
from workers.networks.channel_split import split_channels
from workers.networks.residual import NamedLinear
from workers.recipes.params import RecipeParams


class _Design(NamedTuple):
    """Channels of the stem, channels and units of each stage, last channels, a digit per block."""

    stem: int
    stages: tuple[tuple[int, int], ...]
    last: int
    blocks: str


_STAGES_300M = ((64, 4), (160, 4), (320, 8), (640, 4))
_STAGES_1_3G = ((96, 8), (240, 8), (480, 16), (960, 8))
_STAGES_3_8G = ((172, 8), (432, 8), (864, 16), (1728, 8))
_COCO_FPN_DEEP = "0031210203123320211320222131033313333333"
_DESIGNS = {
    "COCO_FPN_300M": _Design(16, _STAGES_300M, 1024, "21202112331300313132"),
    "COCO_FPN_1.3G": _Design(48, _STAGES_1_3G, 1024, _COCO_FPN_DEEP),
    "COCO_FPN_3.8G": _Design(72, _STAGES_3_8G, 1728, _COCO_FPN_DEEP),
    "COCO_RetinaNet_300M": _Design(16, _STAGES_300M, 1024, "23113213311133203333"),
    "VOC_FPN_300M": _Design(16, _STAGES_300M, 1024, "21031303201133333331"),
    "VOC_RetinaNet_300M": _Design(16, _STAGES_300M, 1024, "13002333233332202311"),
}


def detnas(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """One searched backbone; `params.dropout`, of whole channels, is 0.2 where not given."""
    return _DetNAS(
        _DESIGNS[variant], num_classes, 0.2 if params.dropout is None else params.dropout
    )


class _DetNAS(nn.Module):
    """Images (N, 3, H, W) -> logits (N, num_classes); H and W are multiples of 32."""

    def __init__(self, design: _Design, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.first_conv = _biased(3, design.stem, 3, stride=2)
        self.features = nn.Sequential(*_units(design))
        self.last_conv = _biased(design.stages[-1][0], design.last, 1)
        self.drop_out = nn.Dropout2d(dropout)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = NamedLinear(design.last, num_classes)
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, not softmaxed."""
        x = self.drop_out(self.last_conv(self.features(self.first_conv(x))))
        logits: Tensor = self.fc(self.global_pool(x).flatten(1))
        return logits


class _Unit(nn.Module):
    """A shuffle unit whose layers have names made of stage, unit, block and position."""

    def __init__(
        self, name: str, block: int, channels: int, channels_out: int, *, stride: int
    ) -> None:
        super().__init__()
        channels_in = channels if stride == 2 else channels // 2
        kernel = 3 if block == XCEPTION else KERNELS[block]
        middle, transformed = channels_out // 2, channels_out - channels_in
        if block == XCEPTION:
            name_of = f"{name}_xception_3x3_branch2"
            self.conv = nn.Sequential(
                _separable(f"{name_of}a", channels_in, middle, kernel, stride),
                _separable(f"{name_of}b", middle, middle, kernel),
                _separable(f"{name_of}c", middle, transformed, kernel),
            )
        else:
            name_of = f"{name}_shufflenet_{kernel}x{kernel}_branch2"
            self.conv = nn.Sequential(
                _pointwise(f"{name_of}a", channels_in, middle),
                _separable(f"{name_of}b", middle, transformed, kernel, stride),
            )
        self.proj_conv = (
            _separable(f"{name}_proj", channels_in, channels_in, kernel, stride)
            if stride == 2
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H/stride, W/stride)."""
        if self.proj_conv is not None:
            return torch.cat((self.proj_conv(x), self.conv(x)), 1)
        passed, transformed = split_channels(x)
        return torch.cat((passed, self.conv(transformed)), 1)


def _units(design: _Design) -> list[nn.Module]:
    names = (
        f"{stage}{ascii_lowercase[unit]}"
        for stage, (_, units) in enumerate(design.stages, start=1)
        for unit in range(units)
    )
    places = placements(design.stem, design.stages)
    return [
        _Unit(name, int(block), channels, out, stride=stride)
        for name, block, (channels, out, stride) in zip(names, design.blocks, places, strict=True)
    ]


def _pointwise(name: str, channels_in: int, channels_out: int) -> nn.Sequential:
    names = (f"interstellar{name}", f"bn{name}", f"relu{name}")
    return _named(names, conv_bn_act(channels_in, channels_out, 1))


def _separable(
    name: str, channels_in: int, channels_out: int, kernel: int, stride: int = 1
) -> nn.Sequential:
    depthwise = f"interstellar{name}_s"
    names = (depthwise, f"{depthwise}_bn", f"interstellar{name}", f"bn{name}", f"relu{name}")
    layers = [
        *conv_bn(channels_in, channels_in, kernel, stride, groups=channels_in),
        *conv_bn_act(channels_in, channels_out, 1),
    ]
    return _named(names, layers)


def _biased(channels_in: int, channels_out: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """A convolution with the bias that the batch norm behind it makes idle, as published."""
    conv = nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2)
    return _named(("conv", "bn", "relu"), [conv, nn.BatchNorm2d(channels_out), relu()])


def _named(names: tuple[str, ...], layers: list[nn.Module]) -> nn.Sequential:
    return nn.Sequential(OrderedDict(zip(names, layers, strict=True)))

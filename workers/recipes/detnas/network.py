"""The backbones that DetNAS searched for detection, as classifiers (arXiv:1903.10979)."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from string import ascii_lowercase

import torch
from torch import Tensor, nn

from service.contract.architectures import PUBLISHED_WIDTH
from service.contract.search_spaces import KERNELS, XCEPTION, Place, SearchSpace
from service.contract.space_table import SpaceTable
from workers.networks.blocks import (
    conv_bn,
    conv_bn_act,
    initialize,
    relu,
)
from workers.networks.channel_split import split_channels, split_shuffled
from workers.networks.residual import NamedLinear
from workers.recipes.detnas.space import PATHS, SPACES, WIDENED_3_8G
from workers.recipes.params import RecipeParams

_Split = Callable[[Tensor], tuple[Tensor, Tensor]]


def detnas(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """One searched backbone; `params.dropout`, of whole channels, is 0.2 where not given."""
    found = SpaceTable((*SPACES, WIDENED_3_8G)).find(variant)
    assert found is not None
    space, architecture = found
    units = [
        SearchedUnit(name, int(block), place, split_of(space))
        for name, block, place in zip(
            unit_names(space), architecture.blocks, space.places, strict=True
        )
    ]
    return DetNAS(space, units, num_classes, params)


class DetNAS(nn.Module):
    """Images (N, 3, H, W) -> logits (N, num_classes); H and W are multiples of 32.

    `params.dropout`, of whole channels, is 0.2 where not given.
    """

    def __init__(
        self,
        space: SearchSpace,
        units: Sequence[nn.Module],
        num_classes: int,
        params: RecipeParams,
    ) -> None:
        super().__init__()
        self.first_conv = _biased(3, space.stem, 3, stride=2)
        self.features = nn.Sequential(*units)
        self.last_conv = _biased(space.stages[-1][0], space.last, 1)
        self.drop_out = nn.Dropout2d(0.2 if params.dropout is None else params.dropout)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = NamedLinear(space.last, num_classes)
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, not softmaxed."""
        x = self.drop_out(self.last_conv(self.features(self.first_conv(x))))
        logits: Tensor = self.fc(self.global_pool(x).flatten(1))
        return logits


def unit_names(space: SearchSpace) -> Iterator[str]:
    """Of each place what begins the names of its layers: the stage and the unit, `1a`, `1b` …"""
    for stage, (_, units) in enumerate(space.stages, start=1):
        for unit in range(units):
            yield f"{stage}{ascii_lowercase[unit]}"


def split_of(space: SearchSpace) -> _Split:
    """How a unit of the space halves its input."""
    of_paths = space.name is not None and space.name.endswith(PATHS)
    return split_shuffled if of_paths else split_channels


class SearchedUnit(nn.Module):
    """A shuffle unit whose layers have names made of stage, unit, block and position."""

    def __init__(self, name: str, block: int, place: Place, split: _Split) -> None:
        super().__init__()
        self._split = split
        channels_in, stride = place.split, place.stride
        kernel = 3 if block == XCEPTION else KERNELS[block]
        middle, transformed = place.middle(int(PUBLISHED_WIDTH)), place.new
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
        passed, transformed = self._split(x)
        return torch.cat((passed, self.conv(transformed)), 1)


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

"""How large the network of an architecture is, by a closed formula and without the network."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from service.contract.architectures import Architecture, Blocks, Channels
from service.contract.search_spaces import KERNELS, XCEPTION, Place, SearchSpace
from service.contract.text import ShortText


class Cost(NamedTuple):
    """Parameters, and multiply-adds of convolutions and linear layers for one image.

    A batch norm has two parameters for each channel.
    """

    parameters: int
    multiply_adds: int


class ArchitectureSize(BaseModel):
    """How large the network of an architecture is, with its variant as a job names it.

    `channels` is None in a space whose widths were not searched.
    """

    model_config = ConfigDict(frozen=True)

    object: Literal["architecture_size"] = "architecture_size"
    recipe: ShortText
    variant: ShortText
    blocks: Blocks
    channels: Channels | None
    image_size: int
    classes: int
    parameters: int
    multiply_adds: int


def cost_of(space: SearchSpace, architecture: Architecture, image_size: int, classes: int) -> Cost:
    """Of the network of an architecture of this space; `image_size` is a multiple of 32."""
    side = image_size // 2
    parts = [_convolution(3, space.stem, 3, side)]
    for place, is_excited, block, width in zip(
        space.places, space.excited, architecture.blocks, architecture.channels, strict=True
    ):
        parts.append(unit_cost(place, int(block), int(width), side))
        if is_excited:
            parts.append(_squeeze_excite(place.new))
        side //= place.stride
    parts.append(_convolution(space.stages[-1][0], space.last, 1, side))
    features = space.last
    if space.hidden is not None:
        parts += [_squeeze_excite(features), _linear(features, space.hidden)]
        features = space.hidden
    parts.append(_linear(features, classes))
    if space.biased:
        parts.append(Cost(space.stem + space.last + classes, 0))
    return _sum(parts)


def unit_cost(place: Place, block: int, width: int, side: int) -> Cost:
    """Of a unit at a place, whose input has this side."""
    inner, new = place.split, place.new
    middle, out = place.middle(width), side // place.stride
    kernel = KERNELS.get(block, 3)
    if block == XCEPTION:
        parts = [
            _depthwise(inner, 3, out),
            _convolution(inner, middle, 1, out),
            _depthwise(middle, 3, out),
            _convolution(middle, middle, 1, out),
            _depthwise(middle, 3, out),
            _convolution(middle, new, 1, out),
        ]
    else:
        parts = [
            _convolution(inner, middle, 1, side),
            _depthwise(middle, kernel, out),
            _convolution(middle, new, 1, out),
        ]
    if place.stride == 2:
        parts += [_depthwise(inner, kernel, out), _convolution(inner, inner, 1, out)]
    return _sum(parts)


def _convolution(channels_in: int, channels_out: int, kernel: int, side: int) -> Cost:
    """Of a convolution without bias to an output of `side`, and its batch norm."""
    weights = channels_in * channels_out * kernel**2
    return Cost(weights + 2 * channels_out, weights * side**2)


def _depthwise(channels: int, kernel: int, side: int) -> Cost:
    return _convolution(1, channels, kernel, side)


def _squeeze_excite(channels: int) -> Cost:
    """Of two 1x1 convolutions of the pooled channels, and the batch norm between them."""
    narrow = channels // 4
    weights = 2 * channels * narrow
    return Cost(weights + 2 * narrow, weights)


def _linear(features_in: int, features_out: int) -> Cost:
    weights = features_in * features_out
    return Cost(weights, weights)


def _sum(parts: list[Cost]) -> Cost:
    return Cost(*map(sum, zip(*parts, strict=True)))

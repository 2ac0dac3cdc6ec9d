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
    """How large the network of an architecture is, with its variant as a job names it."""

    model_config = ConfigDict(frozen=True)

    object: Literal["architecture_size"] = "architecture_size"
    recipe: ShortText
    variant: ShortText
    blocks: Blocks
    channels: Channels
    image_size: int
    classes: int
    parameters: int
    multiply_adds: int


def cost_of(space: SearchSpace, architecture: Architecture, image_size: int, classes: int) -> Cost:
    """Of the network of an architecture of this space; `image_size` is a multiple of 32."""
    side = image_size // 2
    parts = [_convolution(3, space.stem, 3, side)]
    for place, block, width in zip(
        space.places, architecture.blocks, architecture.channels, strict=True
    ):
        parts.append(unit_cost(place, int(block), int(width), side))
        side //= place.stride
    parts.append(_convolution(space.stages[-1][0], space.last, 1, side))
    classifier = space.last * classes
    parts.append(Cost(classifier, classifier))
    return _sum(parts)


def unit_cost(place: Place, block: int, width: int, side: int) -> Cost:
    """Of a unit at a place, whose input has this side."""
    inner, new = place.split, place.channels_out - place.split
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


def _sum(parts: list[Cost]) -> Cost:
    return Cost(*map(sum, zip(*parts, strict=True)))

"""The networks of the space that OneShot's search went through (arXiv:1904.00420)."""

from collections.abc import Sequence

from torch import nn

from service.contract.architectures import Architecture
from workers.networks.blocks import searched_unit
from workers.networks.plain import PlainNetwork
from workers.recipes.oneshot.space import SPACE
from workers.recipes.params import RecipeParams


def oneshot(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The network of an architecture; `params.dropout` before the classifier is 0.1 by default."""
    architecture = SPACE.architecture(variant)
    assert architecture is not None
    return network_of_space(_units(architecture), num_classes, params)


def network_of_space(
    units: Sequence[nn.Module], num_classes: int, params: RecipeParams
) -> PlainNetwork:
    """A network of the space that has these units; dropout is 0.1 by default."""
    return PlainNetwork(
        units,
        stem=SPACE.stem,
        pooled_stem=False,
        trunk=SPACE.stages[-1][0],
        last=SPACE.last,
        num_classes=num_classes,
        dropout=0.1 if params.dropout is None else params.dropout,
    )


def _units(architecture: Architecture) -> list[nn.Module]:
    return [
        searched_unit(
            int(block),
            place.channels_in,
            place.channels_out,
            place.middle(int(width)),
            stride=place.stride,
        )
        for place, block, width in zip(
            SPACE.places, architecture.blocks, architecture.channels, strict=True
        )
    ]

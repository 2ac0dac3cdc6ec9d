"""The network that has all four units at each place (arXiv:1904.00420)."""

from torch import nn

from service.contract.search_spaces import KERNELS, XCEPTION, Place
from workers.networks.blocks import searched_unit
from workers.networks.choices import Choice, drop_scales
from workers.networks.plain import PlainNetwork
from workers.recipes.oneshot.space import SPACE
from workers.recipes.params import RecipeParams

PUBLISHED_WIDTH = 4


def supernet(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The supernet; `params.dropout` before the classifier is 0.1 where not given.

    Its batch norms have no scale and no shift. Source: Supernet/network.py.
    """
    assert variant == "oneshot"
    network = PlainNetwork(
        [_choice(place) for place in SPACE.places],
        stem=SPACE.stem,
        pooled_stem=False,
        trunk=SPACE.stages[-1][0],
        last=SPACE.last,
        num_classes=num_classes,
        dropout=0.1 if params.dropout is None else params.dropout,
    )
    drop_scales(network)
    return network


def _choice(place: Place) -> Choice:
    middle = place.middle(PUBLISHED_WIDTH)
    return Choice(
        searched_unit(block, place.channels_in, place.channels_out, middle, stride=place.stride)
        for block in (*KERNELS, XCEPTION)
    )

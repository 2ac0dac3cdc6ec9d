"""The network that has all four units at each place (arXiv:1904.00420)."""

from torch import nn

from service.contract.architectures import PUBLISHED_WIDTH
from service.contract.search_spaces import KERNELS, XCEPTION, Place
from workers.networks.blocks import searched_unit
from workers.networks.choices import Choice, drop_scales
from workers.recipes.oneshot.network import network_of_space
from workers.recipes.oneshot.space import SPACE
from workers.recipes.params import RecipeParams


def supernet(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The supernet; `params.dropout` before the classifier is 0.1 where not given.

    Its batch norms have no scale and no shift. Source: Supernet/network.py.
    """
    assert variant == "oneshot"
    network = network_of_space([_choice(place) for place in SPACE.places], num_classes, params)
    drop_scales(network)
    return network


def _choice(place: Place) -> Choice:
    middle = place.middle(int(PUBLISHED_WIDTH))
    return Choice(
        searched_unit(block, place.channels_in, place.channels_out, middle, stride=place.stride)
        for block in (*KERNELS, XCEPTION)
    )

"""The network that has all four units of DetNAS at each place (arXiv:1903.10979)."""

from torch import nn

from service.contract.search_spaces import KERNELS, XCEPTION
from service.contract.space_table import SpaceTable
from workers.networks.choices import Choice, Parts, choices_of
from workers.recipes.detnas.network import DetNAS, SearchedUnit, split_of, unit_names
from workers.recipes.detnas.space import PATHS, SPACES
from workers.recipes.params import RecipeParams


def detnas_supernet(variant: str, num_classes: int, params: RecipeParams) -> nn.Module:
    """The supernet of a space; `params.dropout`, of whole channels, is 0.2 where not given.

    Its batch norms have scale and shift. Source: Supernet-ImageNet/detnasnet.py.
    """
    space = SpaceTable(SPACES).named(f"{variant}{PATHS}")
    assert space is not None
    split = split_of(space)
    places = [
        Choice(SearchedUnit(name, block, place, split) for block in (*KERNELS, XCEPTION))
        for name, place in zip(unit_names(space), space.places, strict=True)
    ]
    return DetNAS(space, places, num_classes, params)


def parts_of(network: nn.Module) -> Parts:
    """The parts of a supernet; they are the network's own modules."""
    assert isinstance(network, DetNAS)
    ends = network.last_conv, network.drop_out, network.global_pool, nn.Flatten(1), network.fc
    return Parts(network.first_conv, choices_of(network.features), nn.Sequential(*ends))

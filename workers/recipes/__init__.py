"""The networks of the series: `build(recipe, variant)`."""

from collections.abc import Callable

from torch import nn

from service.contract.recipes import VARIANTS
from workers.recipes.detnas.network import detnas
from workers.recipes.oneshot.network import oneshot
from workers.recipes.shufflenet_v1.network import shufflenet_v1
from workers.recipes.shufflenet_v2.network import shufflenet_v2
from workers.recipes.shufflenet_v2_exlarge.network import shufflenet_v2_exlarge
from workers.recipes.shufflenet_v2_large.network import shufflenet_v2_large
from workers.recipes.shufflenet_v2_plus.network import shufflenet_v2_plus

FAMILIES: dict[str, Callable[[str, int, float | None], nn.Module]] = {
    "oneshot": oneshot,
    "shufflenet_v1": shufflenet_v1,
    "shufflenet_v2": shufflenet_v2,
    "shufflenet_v2_plus": shufflenet_v2_plus,
    "shufflenet_v2_large": shufflenet_v2_large,
    "shufflenet_v2_exlarge": shufflenet_v2_exlarge,
    "detnas": detnas,
}


def build(
    recipe: str, variant: str, num_classes: int = 1000, dropout: float | None = None
) -> nn.Module:
    """A network with fresh weights; `dropout` None is the published one.

    Raises ValueError for a recipe or variant without a network, naming those there are.
    """
    if recipe not in FAMILIES:
        raise ValueError(f"no network for recipe {recipe!r}; there are {', '.join(FAMILIES)}")
    if variant not in VARIANTS[recipe]:
        raise ValueError(f"recipe {recipe} has the variants {', '.join(VARIANTS[recipe])}")
    return FAMILIES[recipe](variant, num_classes, dropout)

"""The supernets of DetNAS: every architecture of one of its spaces in one network.

Trained as the supernet of single path one-shot search; another network, and for twice as long.
Source: Supernet-ImageNet of megvii-model/DetNAS. Its train.py counts multiply-adds by a table of
the space 300M alone, and fails for 1.3G: there the paths are drawn evenly here unless something
else is asked for.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from service.contract.search_spaces import SearchSpace
from workers.networks.heads import Heads
from workers.recipes.base import OriginalFiles, Recipe
from workers.recipes.detnas.space import PATHS, SPACE_1_3G, SPACE_300M
from workers.recipes.params import TotalIters
from workers.recipes.supernet import (
    CHOICES,
    EVERY,
    SAMPLING,
    SAMPLING_MACS,
    ChoiceDigits,
    MultiplyAdds,
    SupernetParams,
    paths_of,
)

_PLACES_1_3G = len(SPACE_1_3G.places)


class DetNASSupernet300MParams(SupernetParams):
    """The supernet of DetNAS's space 300M (arXiv:1903.10979)."""

    space: ClassVar[SearchSpace] = SPACE_300M

    total_iters: TotalIters = 300_000


class DetNASSupernet1300MParams(SupernetParams):
    """The supernet of DetNAS's space 1.3G (arXiv:1903.10979)."""

    space: ClassVar[SearchSpace] = SPACE_1_3G

    total_iters: TotalIters = 300_000
    sampling: Annotated[Literal["macs_uniform", "uniform"], Field(description=SAMPLING)] = "uniform"
    sampling_macs_from: Annotated[MultiplyAdds, Field(description=SAMPLING_MACS)] = 1_140_000_000
    sampling_macs_to: Annotated[MultiplyAdds, Field(description=SAMPLING_MACS)] = 1_300_000_000
    choices: Annotated[
        tuple[ChoiceDigits, ...],
        Field(min_length=_PLACES_1_3G, max_length=_PLACES_1_3G, description=CHOICES),
    ] = (EVERY,) * _PLACES_1_3G


def _recipe(params: type[SupernetParams]) -> Recipe:
    space = params.space.name
    return Recipe(
        name=f"detnas_supernet_{space}",
        title=f"Supernet of DetNAS, {space} (arXiv:1903.10979).",
        source="megvii-model/DetNAS, Supernet-ImageNet",
        params=params,
        variants={f"{space}": None},
        network="workers.recipes.detnas_supernet.network:detnas_supernet",
        heads=Heads("fc.fc"),
        paths=paths_of(
            "detnas",
            f"{space}{PATHS}",
            parts="workers.recipes.detnas_supernet.network:parts_of",
        ),
        original=OriginalFiles(final_tag=""),
    )


RECIPE_300M = _recipe(DetNASSupernet300MParams)
RECIPE_1_3G = _recipe(DetNASSupernet1300MParams)

"""The recipes that this worker has: the built-in ones, and those of installed packages."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from service.contract.catalog import RecipeInfo
from workers.plugins import Plugin, check_name, check_reference, with_plugins
from workers.recipes import (
    detnas,
    detnas_supernet,
    oneshot,
    shufflenet_v1,
    shufflenet_v2,
    shufflenet_v2_exlarge,
    shufflenet_v2_large,
    shufflenet_v2_plus,
    supernet,
)
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams

ENTRY_POINTS = "trainyard.recipes"
BUILTIN = (
    oneshot.RECIPE,
    shufflenet_v1.RECIPE,
    shufflenet_v2.RECIPE,
    shufflenet_v2_plus.RECIPE,
    shufflenet_v2_large.RECIPE,
    shufflenet_v2_exlarge.RECIPE,
    detnas.RECIPE,
    supernet.RECIPE,
    detnas_supernet.RECIPE_300M,
    detnas_supernet.RECIPE_1_3G,
)
_LIMIT_BYTES = 64 * 1024


class Offer(NamedTuple):
    """A recipe, and the form in which the control plane has it."""

    recipe: Recipe
    info: RecipeInfo


class NoSuchRecipe(Exception):
    """A recipe that this worker does not have; the message names those it has."""


@cache
def offers() -> Mapping[str, Offer]:
    """Every recipe by name, the built-in ones first."""
    builtin = {recipe.name: Offer(recipe, recipe.info()) for recipe in BUILTIN}
    return with_plugins(builtin, ENTRY_POINTS, _offer)


def recipe_named(name: str) -> Recipe:
    """The recipe of this name; raises NoSuchRecipe."""
    if name not in offers():
        raise NoSuchRecipe(f"there is no recipe {name!r} here; there are {', '.join(offers())}")
    return offers()[name].recipe


def _offer(plugin: Plugin) -> tuple[str, Offer]:
    content = plugin.content
    if not isinstance(content, Recipe):
        raise ValueError(f"it is a {type(content).__name__}, not a Recipe")
    for name in (content.name, *content.variants):
        check_name(name)
    if not content.variants:
        raise ValueError("it has no variant")
    if not (isinstance(content.params, type) and issubclass(content.params, RecipeParams)):
        raise ValueError("its params are no subclass of RecipeParams")
    content.params.model_validate(content.params().model_dump())
    for reference in content.references:
        check_reference(reference)
    info = content.info(plugin.package)
    size = len(info.model_dump_json().encode())
    if size > _LIMIT_BYTES:
        raise ValueError(f"as data it has {size} bytes; at most {_LIMIT_BYTES} are taken")
    return content.name, Offer(content, info)

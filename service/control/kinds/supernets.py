"""The networks that a search is about: a supernet, and the recipe of its paths."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from service.contract.catalog import RecipeInfo
from service.contract.checkpoints import Checkpoint
from service.contract.path_costs import PathCosts
from service.contract.specs import SearchSpec, TrainSpec
from service.control.scheduling.catalogs import form_of, recipe_named, recipes
from service.domain.errors import Unprocessable
from service.domain.path_spaces import PathSpace
from service.domain.search_checks import choices_of
from service.store import jobs

_CLASSES = 1000
"""For which multiply-adds are counted where a checkpoint does not say its classes."""


def path_recipe_of(tx: Connection, source: Checkpoint, pointer: str) -> RecipeInfo:
    """The recipe of which each path of a supernet's checkpoint is a variant.

    Raises Unprocessable for a checkpoint of another recipe.
    """
    recipe = recipe_named(tx, source.recipe, pointer)
    if recipe.path_recipe is None:
        names = ", ".join(each.name for each in recipes(tx) if each.path_recipe is not None)
        message = (
            f"checkpoint {source.id} is of recipe {source.recipe}, which is no supernet: name a "
            f"checkpoint of {names}"
        )
        raise Unprocessable("no_supernet", message, pointer)
    paths = recipe_named(tx, recipe.path_recipe, pointer).for_paths_of(recipe)
    if paths.search_space is None:
        message = f"recipe {paths.name}, of which the paths are, has no search space"
        raise Unprocessable("no_search_space", message, pointer)
    return paths


def training_of(tx: Connection, source: Checkpoint) -> dict[str, Any]:
    """The parameters that a checkpoint was trained with; none of an imported one."""
    origin = jobs.get(tx, source.job_id)
    spec = origin.job.spec if origin is not None else None
    is_own = isinstance(spec, TrainSpec) and spec.recipe == source.recipe
    return dict(spec.params) if isinstance(spec, TrainSpec) and is_own else {}


def path_space(
    paths: RecipeInfo, image_size: int, training: Mapping[str, Any], source: Checkpoint | None
) -> PathSpace:
    """The paths that a search may choose from; `paths` has a search space."""
    space = paths.search_space
    assert space is not None, "the caller has asked for the recipe of a supernet's paths"
    classes = (source.manifest or {}).get("num_classes") if source is not None else None
    choices = choices_of(training, len(space.places))
    return PathSpace.of(PathCosts.of(space, image_size, classes or _CLASSES), choices)


def known_paths_of(tx: Connection, spec: SearchSpec) -> RecipeInfo | None:
    """The recipe of a stored search's paths; None if nobody has it any more."""
    supernet = form_of(tx, spec.recipe) if spec.recipe is not None else None
    if supernet is None or supernet.recipe.path_recipe is None:
        return None
    form = form_of(tx, supernet.recipe.path_recipe)
    paths = form.recipe.for_paths_of(supernet.recipe) if form is not None else None
    return None if paths is None or paths.search_space is None else paths

"""The supernet that a search is of: its weights, and the parameters that it was trained with."""

from dataclasses import dataclass

from torch import Tensor

from service.contract.checkpoints import Manifest
from service.contract.search_spaces import SearchSpace
from service.contract.specs import SearchSpec
from workers.checkpoints.upstream import IncompatibleCheckpoint
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.recipes.table import recipe_named
from workers.training.preprocessing import mean_to_evaluate_with
from workers.training.run_context import RunContext
from workers.training.weights import Weights, weights_of


@dataclass(frozen=True)
class Supernet:
    """A supernet's checkpoint; `paths` is the recipe of which each path is a variant.

    `params` are those of its training, with size and preprocessing of the manifest. `mean`
    (3, S, S) is the mean image of the checkpoint, if it has one.
    """

    recipe: Recipe
    paths: Recipe
    space: SearchSpace
    weights: Weights
    manifest: Manifest
    params: RecipeParams
    mean: Tensor | None


def supernet_of(context: RunContext, spec: SearchSpec) -> Supernet:
    """Read what the search names. Ranks exchange nothing here.

    Raises IncompatibleCheckpoint, DamagedCheckpoint, AbsentCheckpoint, NonFiniteLoss, InvalidData.
    """
    recipe, assignment = context.recipe, context.assignment
    if recipe.paths is None:
        raise IncompatibleCheckpoint(
            f"the checkpoint is of {recipe.name}, which is no supernet: search one of a supernet"
        )
    weights = weights_of(assignment, spec.checkpoint, context.events)
    manifest = weights.manifest
    if manifest is None:
        raise IncompatibleCheckpoint(
            f"{weights.name} is a file: import it, and search the checkpoint that comes of it"
        )
    if (manifest.recipe, manifest.variant) != (recipe.name, spec.variant):
        raise IncompatibleCheckpoint(
            f"the checkpoint is of {manifest.recipe} {manifest.variant}; "
            f"the job names {recipe.name} {spec.variant}"
        )
    if not spec.training:
        context.events.note(
            f"the parameters of the supernet's training are not known: those of {recipe.name} by "
            "default are taken, with the size and the preprocessing of its checkpoint"
        )
    seen = {"image_size": manifest.image_size, "preprocessing": manifest.preprocessing}
    params = context.params.model_copy(update=seen)
    paths = recipe_named(recipe.paths.recipe)
    space = paths.spaces.named(recipe.paths.space)
    assert space is not None, "each path is a variant of its recipe"
    mean = mean_to_evaluate_with(assignment, params, manifest)
    return Supernet(recipe, paths, space, weights, manifest, params, mean)

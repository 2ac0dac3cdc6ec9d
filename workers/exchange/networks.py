"""Networks with the weights of a checkpoint, ready to use."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from torch import Tensor, nn

from service.contract.sentences import sentence_of
from workers.checkpoints.upstream import IncompatibleCheckpoint, load_for_training
from workers.recipes.base import Recipe
from workers.recipes.params import RecipeParams
from workers.recipes.table import NoSuchRecipe, recipe_named


def trained_network(
    *,
    recipe: str,
    variant: str,
    num_classes: int,
    params: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
) -> nn.Module:
    """A network in eval mode, from images (N, 3, S, S) to logits (N, num_classes).

    `params` are those of its training; those left out have the recipe's defaults. Raises ValueError
    for a recipe, a variant, parameters or tensors that do not go together.
    """
    try:
        entry = recipe_named(recipe)
        own = entry.params(**params)
        return filled_network(entry, variant, num_classes, own, tensors)
    except ValidationError as error:
        raise ValueError(sentence_of(error)) from error
    except (NoSuchRecipe, IncompatibleCheckpoint) as error:
        raise ValueError(str(error)) from error


def filled_network(
    recipe: Recipe,
    variant: str,
    num_classes: int,
    params: RecipeParams,
    tensors: Mapping[str, Tensor],
) -> nn.Module:
    """A network of a recipe with these weights, in eval mode; raises IncompatibleCheckpoint."""
    network = recipe.build(variant, num_classes, params)
    # Auxiliary heads may be missing, since they are not used in eval mode.
    load_for_training(network, tensors, recipe.heads)
    return network.eval()

"""The networks of the series and of installed packages: `build(recipe, variant)`."""

from typing import TYPE_CHECKING, Any

from workers.recipes.table import NoSuchRecipe, recipe_named

if TYPE_CHECKING:
    from torch import nn


def build(recipe: str, variant: str, num_classes: int = 1000, **params: Any) -> "nn.Module":
    """A network with fresh weights; `params` are the recipe's own, such as `dropout`.

    Raises ValueError for a recipe or variant that is not there, naming those there are.
    """
    try:
        entry = recipe_named(recipe)
    except NoSuchRecipe as error:
        raise ValueError(str(error)) from error
    return entry.build(variant, num_classes, entry.params(**params))

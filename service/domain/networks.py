"""A submission's network: its recipe's variant and parameters, completed from the catalog."""

from typing import TypeVar

from service.contract.catalog import RecipeInfo
from service.contract.specs import NetworkSpec
from service.domain.errors import Unprocessable
from service.domain.parameters import complete_parameters

Spec = TypeVar("Spec", bound=NetworkSpec)


def complete(spec: Spec, recipe: RecipeInfo, variant: str | None) -> Spec:
    """The spec as it is stored: with recipe, variant, and every parameter.

    `variant` None is the recipe's only one. Raises Unprocessable, InvalidFields.
    """
    chosen = variant_of(recipe, variant)
    params = complete_parameters(recipe, spec.params)
    changes = {"recipe": recipe.name, "variant": chosen, "params": params}
    return spec.model_copy(update=changes)


def variant_of(recipe: RecipeInfo, named: str | None, pointer: str = "/variant") -> str:
    """The named variant, or the only one; raises Unprocessable, listing those there are."""
    if named is None and len(recipe.variants) == 1:
        return recipe.variants[0]
    if named is None or named not in recipe.variants:
        message = f"recipe {recipe.name} has the variants {', '.join(recipe.variants)}"
        raise Unprocessable("no_such_variant", message, pointer)
    return named

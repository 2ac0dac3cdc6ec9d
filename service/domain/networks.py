"""A submission's network: its recipe's variant and parameters, completed from the catalog."""

from typing import TypeVar

from service.contract.architecture_costs import ArchitectureSize, cost_of
from service.contract.architectures import Architecture
from service.contract.catalog import RecipeInfo, no_variant
from service.contract.specs import NetworkSpec
from service.domain.errors import NotFound, Unprocessable
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
    """The named variant, or the only one; an architecture that has a name is given by that.

    Raises Unprocessable, listing those there are.
    """
    if named is None and len(recipe.variants) == 1:
        return recipe.variants[0]
    if named in recipe.variants:
        return named
    architecture = Architecture.parse(named) if named is not None else None
    if architecture is not None and recipe.spaces:
        problem = recipe.spaces.problem(architecture)
        if problem is None:
            return recipe.spaces.variant(architecture)
        raise _no_architecture(recipe, problem[1], pointer)
    message = no_variant(recipe.name, recipe.variants, recipe.spaces)
    raise Unprocessable("no_such_variant", message, pointer)


def named_as_stored(recipe: RecipeInfo, variant: str | None) -> str | None:
    """The text by which the recipe's checkpoints name the variant; what it has not stays."""
    found = recipe.spaces.find(variant) if variant else None
    return found.space.variant(found.architecture) if found is not None else variant


def size_of(
    recipe: RecipeInfo, architecture: Architecture, image_size: int, classes: int
) -> ArchitectureSize:
    """The size of a network of one of the recipe's spaces; raises NotFound, Unprocessable."""
    if not recipe.spaces:
        message = f"recipe {recipe.name} has named variants only; `sizes` of the recipe has theirs"
        raise NotFound("no_search_space", message)
    problem = recipe.spaces.problem(architecture)
    space = recipe.spaces.space_of(architecture)
    if problem is not None or space is None:
        field, message = problem or ("blocks", "blocks must be of one of its spaces")
        raise _no_architecture(recipe, message, f"/{field}")
    cost = cost_of(space, architecture, image_size, classes)
    return ArchitectureSize(
        recipe=recipe.name,
        variant=space.variant(architecture),
        blocks=architecture.blocks,
        channels=None if space.fixed_widths else architecture.channels,
        image_size=image_size,
        classes=classes,
        parameters=cost.parameters,
        multiply_adds=cost.multiply_adds,
    )


def _no_architecture(recipe: RecipeInfo, problem: str, pointer: str) -> Unprocessable:
    return Unprocessable("no_such_architecture", f"recipe {recipe.name}: {problem}", pointer)

"""A recipe's parameters as a user gave them, checked and completed with the defaults."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from service.contract.catalog import RecipeInfo
from service.contract.errors import FieldProblem
from service.contract.recipes import PARAMS
from service.domain.errors import InvalidFields


def complete_parameters(recipe: RecipeInfo, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of the recipe, its default where none is given.

    Raises InvalidFields, each with a JSON pointer below `/params`.
    """
    try:
        return PARAMS[recipe.name].model_validate(dict(given)).model_dump()
    except ValidationError as error:
        raise InvalidFields([_problem(each) for each in error.errors()]) from None


def _problem(error: Any) -> FieldProblem:
    pointer = "".join(f"/{part}" for part in ("params", *error["loc"]))
    unknown = error["type"] == "extra_forbidden"
    message = "this field is not known; check its name" if unknown else str(error["msg"])
    return FieldProblem(pointer=pointer, detail=message.removeprefix("Value error, "))

"""The OpenAPI document: what FastAPI writes, and the parameters of the built-in recipes."""

from typing import Any

from fastapi import FastAPI

from service.contract.catalog import RecipeInfo, builtin_catalog

_SCHEMAS = "#/components/schemas/"
_OTHER = "OtherRecipeSubmission"


class DocumentedApi(FastAPI):
    """An application whose document shows a submission's parameters for each built-in recipe."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = with_recipe_parameters(super().openapi())
        return self.openapi_schema


def with_recipe_parameters(document: dict[str, Any]) -> dict[str, Any]:
    """The document with `Submission` as a union by recipe; its last branch is of any other one.

    The recipes that workers bring are in `GET /recipes`: a document that changed with the workers
    would be no contract.
    """
    recipes = builtin_catalog().recipes
    schemas = document["components"]["schemas"]
    by_kind = schemas["Submission"]
    for recipe in recipes:
        schemas[_params_name(recipe)] = recipe.parameters
        schemas[_branch_name(recipe)] = _branch(recipe)
    schemas[_OTHER] = {
        "type": "object",
        "title": _OTHER,
        "description": "Of a recipe that a worker brings (see `GET /recipes`), or of the "
        "checkpoint's, where the submission names none.",
        "properties": {"recipe": {"not": {"enum": [recipe.name for recipe in recipes]}}},
    }
    by_recipe = {
        "oneOf": [{"$ref": _SCHEMAS + name} for name in (*map(_branch_name, recipes), _OTHER)],
        "discriminator": {
            "propertyName": "recipe",
            "mapping": {recipe.name: _SCHEMAS + _branch_name(recipe) for recipe in recipes},
        },
    }
    about = {key: by_kind.pop(key) for key in ("title", "description") if key in by_kind}
    schemas["Submission"] = about | {"allOf": [by_kind, by_recipe]}
    return document


def _branch(recipe: RecipeInfo) -> dict[str, Any]:
    return {
        "type": "object",
        "title": _branch_name(recipe),
        "description": recipe.title,
        "properties": {
            "recipe": {"const": recipe.name},
            "variant": {"enum": [*recipe.variants, None]},
            "params": {"$ref": _SCHEMAS + _params_name(recipe)},
        },
        "required": ["recipe"],
    }


def _params_name(recipe: RecipeInfo) -> str:
    return _camel_case(recipe.name) + "Params"


def _branch_name(recipe: RecipeInfo) -> str:
    return _camel_case(recipe.name) + "Submission"


def _camel_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))

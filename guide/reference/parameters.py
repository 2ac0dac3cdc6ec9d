"""The page of each recipe's variants and parameters, from the catalog that the service ships."""

import json
from typing import Any

from guide.reference.text import code, plain, table
from service.contract.catalog import RecipeInfo, builtin_catalog

_INTRODUCTION = """# Parameters of the recipes

What `params` of a submission may have. A parameter that is left out has the value of the published
recipe; an unknown one is refused by name. `GET /recipes` of a server has the same, and the recipes
of installed packages besides.
"""


def page() -> str:
    """Every recipe with its variants and parameters."""
    return "\n\n".join((_INTRODUCTION, *map(_recipe, builtin_catalog().recipes))) + "\n"


def _recipe(recipe: RecipeInfo) -> str:
    sizes = [
        (code(variant), f"{size.parameters:,}", f"{size.multiply_adds:,}")
        for variant, size in recipe.sizes.items()
    ]
    needed = recipe.parameters.get("required", [])
    rows = [
        (code(name), _default(name in needed, schema), _range(schema), plain(_meaning(schema)))
        for name, schema in recipe.parameters["properties"].items()
    ]
    return "\n\n".join(
        (
            f"## {recipe.name}",
            plain(recipe.title),
            table(("variant", "parameters", "multiply-adds"), sizes),
            table(("parameter", "default", "values", "meaning"), rows),
        )
    )


def _default(is_needed: bool, schema: dict[str, Any]) -> str:
    if "default" not in schema:
        return "needed" if is_needed else "none"
    return "none" if schema["default"] is None else code(json.dumps(schema["default"]))


def _range(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(code(str(each)) for each in schema["enum"])
    for key in ("anyOf", "oneOf"):
        parts = [_range(each) for each in schema.get(key, ()) if each.get("type") != "null"]
        if parts:
            return " or ".join(filter(None, parts))
    marks = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{mark} {schema[key]:,}" for key, mark in marks.items() if key in schema]
    return ", ".join([plain(str(schema.get("type", ""))), *bounds])


def _meaning(schema: dict[str, Any]) -> str:
    unit = schema.get("unit")
    return f"{schema.get('description', '')}{f' ({unit})' if unit else ''}"

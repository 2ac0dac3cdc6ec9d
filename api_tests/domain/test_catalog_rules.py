"""What a worker may tell of its recipes, and what is refused."""

from typing import Any

import pytest

from service.contract.catalog import Catalog, RecipeInfo, builtin_catalog
from service.domain.catalog_rules import LIMIT_RECIPES, check_catalog
from service.domain.errors import InvalidFields
from service.domain.parameter_schemas import LIMIT_SUBSCHEMAS

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"depth": {"type": "integer", "default": 3}},
}


def a_catalog(schema: dict[str, Any] | None = None, **fields: Any) -> Catalog:
    recipe = {"name": "tiny", "title": "Tiny", "variants": ["one"], "parameters": schema or SCHEMA}
    return Catalog(recipes=(RecipeInfo.model_validate(recipe | fields),))


def problem(catalog: Catalog) -> tuple[str, str]:
    with pytest.raises(InvalidFields) as refused:
        check_catalog(catalog)
    return refused.value.errors[0].pointer, refused.value.errors[0].detail


def test_the_built_in_catalog_and_a_small_one_are_accepted() -> None:
    check_catalog(builtin_catalog())
    check_catalog(a_catalog())


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "array"}, "must have the type object"),
        ({"type": "object", "properties": {"a": {"type": "intger"}}}, "/properties/a/type"),
        ({"type": "object", "properties": {"a": {"minimum": "1"}}}, "/properties/a/minimum"),
        (SCHEMA | {"$schema": "http://json-schema.org/draft-07/schema#"}, "$schema must be"),
        (SCHEMA | {"patternProperties": {"(a+)+$": {}}}, "patternProperties is not allowed"),
        (SCHEMA | {"$id": "http://example.org/schema"}, "$id is not allowed"),
        (
            {"type": "object", "properties": {"a": {"$ref": "http://example.org/schema"}}},
            "leads nowhere",
        ),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}, "leads nowhere"),
        (
            {
                "type": "object",
                "properties": {"a": {"$ref": "#/$defs/b"}},
                "$defs": {"b": {"anyOf": [{"$ref": "#/$defs/b"}, {"type": "null"}]}},
            },
            "leads back to itself",
        ),
        (
            {"type": "object", "properties": {"a": {"pattern": r"^(?=x)x$"}}},
            "linear time",
        ),
        (
            {"type": "object", "properties": {"a": {"type": "integer", "default": "x"}}},
            "the default of a is not valid",
        ),
    ],
)
def test_a_schema_that_cannot_be_checked_against_is_refused_with_the_reason(
    schema: dict[str, Any], reason: str
) -> None:
    pointer, detail = problem(a_catalog(schema))
    assert pointer == "/recipes/0/parameters"
    assert detail.startswith("recipe tiny: ")
    assert reason in detail


def test_references_that_multiply_are_refused() -> None:
    levels = LIMIT_SUBSCHEMAS.bit_length()
    definitions: dict[str, Any] = {"d0": {"type": "integer"}}
    for level in range(levels):
        twice = [{"$ref": f"#/$defs/d{level}"}] * 2
        definitions[f"d{level + 1}"] = {"allOf": twice}
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": f"#/$defs/d{levels}"}},
        "$defs": definitions,
    }
    assert "subschemas" in problem(a_catalog(schema))[1]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "a/b"}, "/recipes"),
        ({"name": ""}, "/recipes"),
        ({"variants": []}, "/recipes/0/variants"),
        ({"variants": ["a\0b"]}, "/recipes/0/variants"),
    ],
)
def test_a_name_that_nobody_could_submit_is_refused(fields: dict[str, Any], pointer: str) -> None:
    assert problem(a_catalog(**fields))[0] == pointer


def test_one_name_for_two_recipes_is_refused() -> None:
    twice = a_catalog().recipes * 2
    assert problem(Catalog(recipes=twice)) == ("/recipes", "tiny is there 2 times")


def test_a_catalog_is_bounded() -> None:
    recipe = a_catalog().recipes[0]
    many = [recipe.model_copy(update={"name": f"r{n}"}) for n in range(LIMIT_RECIPES + 1)]
    assert problem(Catalog(recipes=tuple(many)))[0] == "/recipes"
    large = {"parameters": SCHEMA | {"description": "x" * 600_000}}
    two = [recipe.model_copy(update=large | {"name": name}) for name in ("one", "two")]
    assert "bytes" in problem(Catalog(recipes=tuple(two)))[1]

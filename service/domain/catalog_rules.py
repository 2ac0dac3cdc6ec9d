"""Which catalogs a worker may send: bounded, and with schemas that can be checked against."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from service.contract.catalog import CATALOG_BYTES, Catalog, RecipeInfo
from service.contract.errors import FieldProblem
from service.contract.json_values import is_deeper, storage_problems
from service.domain.errors import InvalidFields
from service.domain.parameter_schemas import InvalidSchema, check_schema

LIMIT_BYTES = CATALOG_BYTES
LIMIT_DEPTH = 64
LIMIT_RECIPES = 200
LIMIT_DATASETS = 1000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def check_storable(catalog: Catalog) -> None:
    """Raise InvalidFields for a catalog that would not be read again as it came.

    What has passed it has a digest.
    """
    problems = [
        FieldProblem(pointer=f"/recipes/{number}/parameters", detail=f"the schema {reason}")
        for number, recipe in enumerate(catalog.recipes)
        for reason in _unstorable(recipe.parameters)
    ]
    if problems:
        raise InvalidFields(problems)


def check_catalog(catalog: Catalog) -> None:
    """Raise InvalidFields for a storable catalog that cannot be offered to users, naming why."""
    problems = list(_size_problems(catalog))
    if not problems:
        problems += _name_problems("recipes", [recipe.name for recipe in catalog.recipes])
        problems += _name_problems("datasets", [dataset.name for dataset in catalog.datasets])
        problems += _name_problems("kinds", catalog.kinds)
        problems += _name_problems("data_forms", catalog.data_forms)
        for number, recipe in enumerate(catalog.recipes):
            problems += _recipe_problems(f"/recipes/{number}", recipe)
    if problems:
        raise InvalidFields(problems)


def _unstorable(parameters: Mapping[str, Any]) -> list[str]:
    if is_deeper(parameters, LIMIT_DEPTH):
        return [f"must not be nested more than {LIMIT_DEPTH} levels deep"]
    return list(islice(storage_problems(parameters), 1))


def _size_problems(catalog: Catalog) -> Iterator[FieldProblem]:
    size = len(catalog.model_dump_json().encode())
    if size > LIMIT_BYTES:
        detail = f"the catalog has {size} bytes; the limit is {LIMIT_BYTES}"
        yield FieldProblem(pointer="", detail=detail)
    for field, number, limit in (
        ("recipes", len(catalog.recipes), LIMIT_RECIPES),
        ("datasets", len(catalog.datasets), LIMIT_DATASETS),
        ("kinds", len(catalog.kinds), LIMIT_RECIPES),
        ("data_forms", len(catalog.data_forms), LIMIT_RECIPES),
    ):
        if number > limit:
            detail = f"the catalog has {number} {field}; the limit is {limit}"
            yield FieldProblem(pointer=f"/{field}", detail=detail)


def _name_problems(field: str, names: Iterable[str]) -> Iterator[FieldProblem]:
    for name, times in Counter(names).items():
        if times > 1:
            yield FieldProblem(pointer=f"/{field}", detail=f"{name[:64]} is there {times} times")
        if not _NAME.fullmatch(name):
            detail = (
                f"{name[:64]!r} is no name: letters, digits, '.', '_' and '-', at most 63, "
                "the first a letter or a digit"
            )
            yield FieldProblem(pointer=f"/{field}", detail=detail)


def _recipe_problems(pointer: str, recipe: RecipeInfo) -> Iterator[FieldProblem]:
    if not recipe.variants:
        detail = f"recipe {recipe.name} has no variant; name at least one"
        yield FieldProblem(pointer=f"{pointer}/variants", detail=detail)
    for variant in recipe.variants:
        if not _NAME.fullmatch(variant):
            detail = f"recipe {recipe.name}: {variant[:64]!r} is no name for a variant"
            yield FieldProblem(pointer=f"{pointer}/variants", detail=detail)
    try:
        check_schema(recipe.parameters)
    except InvalidSchema as error:
        detail = f"recipe {recipe.name}: its parameters have no valid schema: {error}"
        yield FieldProblem(pointer=f"{pointer}/parameters", detail=detail)
    except RecursionError:
        detail = f"recipe {recipe.name}: its schema is nested too deeply"
        yield FieldProblem(pointer=f"{pointer}/parameters", detail=detail)

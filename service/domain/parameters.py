"""A recipe's parameters as a user gave them, checked and completed with the defaults."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from pydantic_core import SchemaValidator, ValidationError, core_schema

from service.contract.catalog import RecipeInfo
from service.contract.errors import FieldProblem
from service.contract.json_values import is_deeper, storage_problems
from service.contract.specs import PARAMETERS_BYTES
from service.domain.errors import InvalidFields
from service.domain.parameter_checks import checks_of
from service.domain.parameter_problems import pointer_to, problems_of
from service.domain.parameter_schemas import Schema, resolved

LIMIT_BYTES = PARAMETERS_BYTES
LIMIT_DEPTH = 32
_COERCIONS = {
    "integer": SchemaValidator(core_schema.int_schema()),
    "number": SchemaValidator(core_schema.float_schema(allow_inf_nan=False)),
}


def complete_parameters(recipe: RecipeInfo, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter of the recipe, its default where none is given.

    A whole number is given as a float where the recipe has a number, and text that is a number as
    that number. Raises InvalidFields, each with a JSON pointer below `/params`.
    """
    _check_size(given)
    unstorable = list(_unstorable(given))
    if unstorable:
        raise InvalidFields(unstorable)
    checks = checks_of(recipe.parameters)
    complete = checks.defaults()
    for name, each in given.items():
        complete[name] = _completed(each, checks.properties.get(name), checks.schema)
    problems = problems_of(recipe.name, checks.schema, checks.errors(complete))
    if problems:
        raise InvalidFields(problems)
    return complete


def defaults_of(recipe: RecipeInfo) -> dict[str, Any]:
    """Every parameter of the recipe that has a default, with that."""
    return checks_of(recipe.parameters).defaults()


def is_accepted(recipe: RecipeInfo, params: Mapping[str, Any]) -> bool:
    """Whether parameters that were checked against another form of the recipe fit this one."""
    try:
        complete_parameters(recipe, params)
    except InvalidFields:
        return False
    return True


def _completed(value: Any, schema: Any, root: Schema) -> Any:
    schema = resolved(schema, root)
    if not isinstance(value, dict) or "properties" not in schema:
        return _coerced(value, schema, root)
    properties = schema["properties"]
    complete = {
        name: deepcopy(default)
        for name, parameter in properties.items()
        for default in _default(parameter, root)
    }
    for name, each in value.items():
        complete[name] = _completed(each, properties[name], root) if name in properties else each
    return complete


def _default(parameter: Any, root: Schema) -> Iterator[Any]:
    parameter = resolved(parameter, root)
    if "default" in parameter:
        yield parameter["default"]


def _coerced(value: Any, schema: Schema, root: Schema) -> Any:
    types = set(_types(schema, root))
    if isinstance(value, bool) or (isinstance(value, str) and "string" in types):
        return value
    for kind in ("integer", "number"):
        if kind in types and isinstance(value, int | float | str):
            try:
                return _COERCIONS[kind].validate_python(value)
            except ValidationError:
                continue
    return value


def _types(schema: Any, root: Schema) -> Iterator[str]:
    schema = resolved(schema, root)
    declared = schema.get("type", ())
    yield from [declared] if isinstance(declared, str) else declared
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, ()):
            yield from _types(branch, root)


def _check_size(given: Mapping[str, Any]) -> None:
    if is_deeper(given, LIMIT_DEPTH):
        limit = f"nested more than {LIMIT_DEPTH} levels deep"
    elif len(json.dumps(given)) > LIMIT_BYTES:
        limit = f"more than {LIMIT_BYTES} bytes of JSON"
    else:
        return
    raise InvalidFields([FieldProblem(pointer="/params", detail=f"parameters must not be {limit}")])


def _unstorable(given: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for name, value in given.items():
        for reason in storage_problems((name, value)):
            detail = f"{name} {reason}".encode(errors="replace").decode()
            yield FieldProblem(pointer=pointer_to(name), detail=detail)
            break

"""The JSON Schemas by which recipes describe their parameters: which are valid, and how they check.

Draft 2020-12. A worker sends a schema over the network, so checking against one takes bounded time:
patterns are matched in linear time, references stay within the schema and form no circle, and
keywords whose checks have no such bound are refused.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from pydantic_core import SchemaError as PatternError
from pydantic_core import SchemaValidator, core_schema
from pydantic_core import ValidationError as NoMatch
from referencing import Registry

from service.contract.json_values import LARGEST_NUMBER
from service.contract.paths import data_path_problem

Schema = Mapping[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
LIMIT_SUBSCHEMAS = 2000
_REFERENCE = "#/$defs/"
_REFUSED = (
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$vocabulary",
    "patternProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_ONE = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_BY_NAME = ("dependentSchemas", "properties")


class InvalidSchema(ValueError):
    """A schema that no recipe may have; the message says why."""


def validator_of(schema: Schema) -> Draft202012Validator:
    """Checks values against a valid schema; it fetches no reference."""
    validator = _VALIDATOR(schema, format_checker=_FORMATS, registry=Registry())
    assert isinstance(validator, _VALIDATOR)
    return validator


def resolved(schema: Any, root: Schema) -> Schema:
    """A subschema with what its reference, if any, stands for."""
    while isinstance(schema, Mapping) and "$ref" in schema:
        others = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**root["$defs"][schema["$ref"].removeprefix(_REFERENCE)], **others}
    return schema if isinstance(schema, Mapping) else {}


def check_schema(schema: Schema) -> None:
    """Raise InvalidSchema for what cannot describe the parameters of a recipe."""
    if schema.get("$schema", DRAFT).rstrip("#") != DRAFT:
        raise InvalidSchema(f"$schema must be {DRAFT}")
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidSchema(f"{_pointer(error.absolute_path)}: {error.message[:200]}") from None
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), Mapping):
        raise InvalidSchema("it must have the type object, and properties")
    if _Size(schema).of(schema) > LIMIT_SUBSCHEMAS:
        raise InvalidSchema(f"it has more than {LIMIT_SUBSCHEMAS} subschemas")
    for name, parameter in schema["properties"].items():
        _check_default(name, parameter, schema)


def _check_default(name: str, parameter: Any, schema: Schema) -> None:
    parameter = resolved(parameter, schema)
    if "default" not in parameter:
        return
    within = {**parameter, "$defs": schema.get("$defs", {})}
    for error in validator_of(within).iter_errors(parameter["default"]):
        message = f"the default of {name} is not valid: {error.message[:200]}"
        raise InvalidSchema(message)


class _Size:
    """Counts subschemas, those behind a reference once for each reference to them."""

    def __init__(self, root: Schema) -> None:
        self._definitions = root.get("$defs", {})
        self._sizes: dict[str, int | None] = {}

    def of(self, schema: Any) -> int:
        if not isinstance(schema, Mapping):
            return 1
        _check_keywords(schema)
        size = 1 + sum(self.of(part) for part in _parts(schema))
        return size + self._behind(schema["$ref"]) if "$ref" in schema else size

    def _behind(self, reference: str) -> int:
        name = reference.removeprefix(_REFERENCE)
        if not reference.startswith(_REFERENCE) or name not in self._definitions:
            known = f"only {_REFERENCE}NAME may be referred to, a name that $defs has"
            raise InvalidSchema(f"the reference {reference[:200]!r} leads nowhere: {known}")
        if name not in self._sizes:
            # None while it is counted: to meet it again then is a circle.
            self._sizes[name] = None
            self._sizes[name] = self.of(self._definitions[name])
        size = self._sizes[name]
        if size is None:
            raise InvalidSchema(f"the reference {reference[:200]!r} leads back to itself")
        return size


def _check_keywords(schema: Schema) -> None:
    for keyword in _REFUSED:
        if keyword in schema:
            raise InvalidSchema(f"the keyword {keyword} is not allowed")
    if "pattern" in schema:
        try:
            _matcher(schema["pattern"])
        except PatternError as error:
            reason = str(error).strip().splitlines()[-1]
            message = f"the pattern {schema['pattern'][:200]!r} cannot be matched in linear time"
            raise InvalidSchema(f"{message}: {reason[:200]}") from None


def _parts(schema: Schema) -> Iterator[Any]:
    for keyword in _ONE:
        if keyword in schema:
            yield schema[keyword]
    for keyword in _LISTS:
        yield from schema.get(keyword, ())
    for keyword in _BY_NAME:
        yield from schema.get(keyword, {}).values()


def _pointer(path: Sequence[Any]) -> str:
    return "".join(f"/{part}" for part in path) or "the schema"


def _is_number(_: Any, value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Not true of NaN: it compares with nothing.
    return is_number and -LARGEST_NUMBER < value < LARGEST_NUMBER


def _is_integer(_: Any, value: Any) -> bool:
    return _is_number(None, value) and (isinstance(value, int) or value.is_integer())


@lru_cache(maxsize=1000)
def _matcher(pattern: str) -> SchemaValidator:
    # Pydantic's own engine does not go back: no pattern takes more than linear time.
    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


def _pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[ValidationError]:
    if not validator.is_type(value, "string"):
        return
    try:
        _matcher(pattern).validate_python(value, strict=True)
    except NoMatch:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _unique(_: Any, unique: bool, value: Any, __: Any) -> Iterator[ValidationError]:
    if unique and isinstance(value, list):
        texts = {json.dumps(item, sort_keys=True) for item in value}
        if len(texts) != len(value):
            yield ValidationError("items must differ from each other")


_FORMATS = FormatChecker(formats=())
_FORMATS.checks("data-path")(
    lambda value: not isinstance(value, str) or data_path_problem(value) is None
)
_VALIDATOR = extend(
    Draft202012Validator,
    validators={"pattern": _pattern, "uniqueItems": _unique},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number).redefine(
        "integer", _is_integer
    ),
)

"""Whether parameters fit the schema of a recipe, cheaply for those that fit."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from jsonschema.exceptions import ValidationError

from service.domain.parameter_schemas import resolved, validator_of

_MOST_SCHEMAS = 200
_MOST_VALUES = 4096
_MOST_CHARACTERS = 100
"""Of a value that is remembered; longer ones are hardly defaults."""
_BY_PARAMETER = ("additionalProperties", "properties", "required", "type")
"""Keywords by which each parameter is checked by itself; all others need the whole."""
_COMBINING = ("allOf", "anyOf", "else", "if", "not", "oneOf", "then")
_SAYING_NOTHING = ("$comment", "$defs", "$schema", "description", "examples", "title", "type")
_ABSENT = object()


class ParameterChecks:
    """Checks the parameters of one schema, in which every parameter is named.

    A value that was valid once is remembered: of the parameters of a job most are the defaults.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        # Every parameter is named in the schema, also where its author forgot to close it.
        self.schema: Mapping[str, Any] = {**parameters, "additionalProperties": False}
        self._validator = validator_of(self.schema)
        others = {key: part for key, part in self.schema.items() if key not in _BY_PARAMETER}
        self._whole = validator_of(others)
        self._of_whole = _deciding(others)
        self.properties: Mapping[str, Any] = self.schema["properties"]
        self._by_name = {
            name: self._validator.evolve(schema=schema) for name, schema in self.properties.items()
        }
        parts = {name: resolved(each, self.schema) for name, each in self.properties.items()}
        self._defaults = {n: part["default"] for n, part in parts.items() if "default" in part}
        self._required = frozenset(self.schema.get("required", ()))
        self._valid = set[tuple[str, type, Any]]()
        self._valid_wholes = set[tuple[Any, ...]]()

    def defaults(self) -> dict[str, Any]:
        """Every parameter that has a default, with that."""
        return {
            name: deepcopy(default) if isinstance(default, dict | list) else default
            for name, default in self._defaults.items()
        }

    def errors(self, params: Mapping[str, Any]) -> Iterator[ValidationError]:
        """What is wrong with parameters."""
        if self._are_valid(params):
            return iter(())
        errors: Iterator[ValidationError] = self._validator.iter_errors(params)
        return errors

    def _are_valid(self, params: Mapping[str, Any]) -> bool:
        if not self._required <= params.keys() <= self._by_name.keys():
            return False
        each = all(self._is_valid(name, value) for name, value in params.items())
        return each and self._is_whole_valid(params)

    def _is_whole_valid(self, params: Mapping[str, Any]) -> bool:
        # A learning rate that is new each time decides nothing here.
        deciding = [params.get(name, _ABSENT) for name in self._of_whole or ()]
        if self._of_whole is None or not all(map(_is_small, deciding)):
            return bool(self._whole.is_valid(params))
        key = tuple((type(value), value) for value in deciding)
        if key in self._valid_wholes:
            return True
        if not self._whole.is_valid(params):
            return False
        if len(self._valid_wholes) >= _MOST_VALUES:
            self._valid_wholes.clear()
        self._valid_wholes.add(key)
        return True

    def _is_valid(self, name: str, value: Any) -> bool:
        if not _is_small(value):
            return bool(self._by_name[name].is_valid(value))
        # With the type: 1, 1.0 and true are equal.
        key = (name, type(value), value)
        if key in self._valid:
            return True
        if not self._by_name[name].is_valid(value):
            return False
        if len(self._valid) >= _MOST_VALUES:
            self._valid.clear()
        self._valid.add(key)
        return True


def _is_small(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= _MOST_CHARACTERS
    return value is _ABSENT or isinstance(value, int | float | bool | None)


def _deciding(schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The parameters by which alone an object fits a schema or does not; None if by others, too."""
    names: set[str] = set()
    for keyword, part in schema.items():
        if keyword in _SAYING_NOTHING:
            continue
        if keyword in ("properties", "required"):
            names.update(part)
            continue
        if keyword not in _COMBINING:
            return None
        for each in part if isinstance(part, list) else [part]:
            below = _deciding(each) if isinstance(each, Mapping) else ()
            if below is None:
                return None
            names.update(below)
    return tuple(sorted(names))


_checks: dict[int, tuple[Mapping[str, Any], ParameterChecks]] = {}
"""By identity: a catalog never changes, and lives as long as its workers."""


def checks_of(parameters: Mapping[str, Any]) -> ParameterChecks:
    """The checks of a recipe's parameters, made once for each schema in memory."""
    known = _checks.get(id(parameters))
    if known is not None and known[0] is parameters:
        return known[1]
    if len(_checks) >= _MOST_SCHEMAS:
        _checks.clear()
    checks = ParameterChecks(parameters)
    _checks[id(parameters)] = (parameters, checks)
    return checks

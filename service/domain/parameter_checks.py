"""Whether parameters fit the schema of a recipe, cheaply for those that fit."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from service.domain.parameter_schemas import validator_of

_MOST_SCHEMAS = 200
_MOST_VALUES = 4096
_MOST_CHARACTERS = 100
"""Of a value that is remembered; longer ones are hardly defaults."""
_BY_PARAMETER = ("additionalProperties", "properties", "required", "type")
"""Keywords by which each parameter is checked by itself; all others need the whole."""


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
        self._by_name = {
            name: self._validator.evolve(schema=schema)
            for name, schema in self.schema["properties"].items()
        }
        self._required = frozenset(self.schema.get("required", ()))
        self._valid = set[tuple[str, type, Any]]()

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
        return each and bool(self._whole.is_valid(params))

    def _is_valid(self, name: str, value: Any) -> bool:
        if not isinstance(value, str | int | float | bool | None):
            return bool(self._by_name[name].is_valid(value))
        if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
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

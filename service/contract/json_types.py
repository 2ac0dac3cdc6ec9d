"""JSON's own types for the bodies of users: what pydantic alone would convert is refused.

The JSON Schema of each type has its rule, so that a body can be checked with the schema alone.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


def _refuse_no_number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("must be a whole number, without quotes")
    return value


WHOLE_NUMBER = BeforeValidator(_refuse_no_number)
"""For an integer: neither `true` nor `"1"` is one. It stands behind the limits in `Annotated`."""

Boolean = Annotated[bool, Field(strict=True)]
"""`true` or `false`; neither 1 nor `"yes"` is one."""


class _Shown:
    """Shows a rule in the schema that another validator checks."""

    def __init__(self, **rule: JsonValue) -> None:
        self._rule = rule

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | self._rule


STORABLE = _Shown(pattern=r"^[^\x00]*$")

# A name that is not `..`, without look-ahead, which regular expressions of linear time lack.
_PATH_NAME = r"([^/.\x00][^/\x00]*|\.([^/.\x00][^/\x00]*)?|\.\.[^/\x00]+)"
BELOW_ROOT = _Shown(pattern=f"^({_PATH_NAME}(/{_PATH_NAME}?)*)?$")
NO_OTHER_NAMES = _Shown(additionalProperties=False)
"""Of a map whose names have a pattern."""


class _NotNull:
    """A field that may be left out, and is not null where it is there."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        forms: list[JsonSchemaValue] = handler(schema)["anyOf"]
        (present,) = (form for form in forms if form != {"type": "null"})
        return present

    @staticmethod
    def _check(value: Any) -> Any:
        if value is None:
            raise ValueError("must not be null; leave the field out to keep its value")
        return value


NOT_NULL = _NotNull()


def just(name: str, *, of: tuple[str, ...]) -> dict[str, JsonValue]:
    """The JSON Schema of an object that has the text `name`, and none of the others in `of`."""
    others: dict[str, JsonValue] = {other: {"type": "null"} for other in of if other != name}
    return {"required": [name], "properties": {name: {"type": "string"}, **others}}

"""JSON values: whether they can be stored and sent again as they came, and their limits."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from service.contract.text import cut_text, storable_text

LARGEST_NUMBER = 2.0**1023
"""A number that is not smaller than this one, in absolute value, is none of JSON here."""
LIMIT_KEYWORD = "x-limit-bytes"
"""The keyword of a JSON Schema for the limit of a value of any type."""
_LIMIT_DEPTH = 64
_NODE_BYTES = 8
"""What a number, a list or a map counts beside the texts in it."""


def is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested more than some levels deep; it stops there."""
    if not isinstance(value, Mapping | list | tuple):
        return False
    parts = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(is_deeper(part, levels - 1) for part in parts)


def storage_problems(value: Any) -> Iterator[str]:
    """Why a value cannot be stored, each as in `must be a finite number`; for bounded depth."""
    if isinstance(value, str):
        if "\0" in value:
            yield "must not have the character U+0000"
        if any("\ud800" <= character <= "\udfff" for character in value):
            yield "must not have half of a surrogate pair"
    elif isinstance(value, int | float):
        if not math.isfinite(value) if isinstance(value, float) else abs(value) >= LARGEST_NUMBER:
            yield "must be a finite number"
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from storage_problems(pair)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from storage_problems(each)


@dataclass(frozen=True)
class JsonLimit:
    """Marks a JSON value that had its limit when it was stored: it is not looked through again."""

    limit_bytes: int

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {LIMIT_KEYWORD: self.limit_bytes}


class JsonWithin(JsonLimit):
    """Marks a JSON object of a user, which is refused with more bytes, 64 levels or bad text."""

    def check(self, value: dict[str, Any]) -> dict[str, Any]:
        """The object; raises ValueError if it is too large or too deep, or cannot be stored."""
        if is_deeper(value, _LIMIT_DEPTH):
            raise ValueError(f"must not be nested more than {_LIMIT_DEPTH} levels deep")
        problems = [
            _unstorable_item(storable_text(name), reason)
            for name, each in value.items()
            for reason in islice(storage_problems((name, each)), 1)
        ]
        if problems:
            raise ValidationError.from_exception_data("JSON", problems)
        if len(json.dumps(value, default=str, allow_nan=False)) > self.limit_bytes:
            raise ValueError(f"must not have more than {self.limit_bytes} bytes of JSON")
        return value

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


def _unstorable_item(name: str, reason: str) -> InitErrorDetails:
    error = PydanticCustomError("unstorable", "{sentence}", {"sentence": f"{name} {reason}"})
    return InitErrorDetails(type=error, loc=(name,), input=None)


class JsonCutTo(JsonLimit):
    """Marks a JSON value of a worker or a row, which is cut and can be stored.

    NaN, infinite and too large numbers become null. Texts are escaped; those, lists and maps are
    cut where the limit is reached, and what is nested more than 64 levels deep is null.
    """

    def cut(self, value: Any) -> Any:
        """The value up to about `limit_bytes`."""
        return _JsonCutter(self.limit_bytes).cut(value, _LIMIT_DEPTH)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.cut, handler(source))


class _JsonCutter:
    def __init__(self, left_bytes: int) -> None:
        self._left_bytes = left_bytes
        # One large text must leave room for what comes after it.
        self._text_length = max(left_bytes // 4, 1)

    def cut(self, value: Any, levels: int) -> Any:
        self._left_bytes -= _NODE_BYTES
        if isinstance(value, str):
            return self._cut_text(value)
        if isinstance(value, Mapping | list | tuple) and levels == 0:
            return None
        if isinstance(value, Mapping):
            return self._cut_map(value, levels - 1)
        if isinstance(value, list | tuple):
            return self._cut_list(value, levels - 1)
        if isinstance(value, int | float) and not -LARGEST_NUMBER < value < LARGEST_NUMBER:
            return None
        return value

    def _cut_text(self, text: str) -> str:
        text = cut_text(text, max(min(self._text_length, self._left_bytes), 1))
        self._left_bytes -= len(text)
        return text

    def _cut_map(self, values: Mapping[Any, Any], levels: int) -> dict[str, Any]:
        cut: dict[str, Any] = {}
        for name, value in values.items():
            if self._left_bytes <= 0:
                break
            key = self._cut_text(str(name))
            cut[key] = self.cut(value, levels)
        return cut

    def _cut_list(self, values: list[Any] | tuple[Any, ...], levels: int) -> list[Any]:
        cut: list[Any] = []
        for value in values:
            if self._left_bytes <= 0:
                break
            cut.append(self.cut(value, levels))
        return cut

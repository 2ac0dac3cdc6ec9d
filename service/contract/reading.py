"""Reads rows, messages and manifests that another version of Trainyard has written.

Unknown fields are stored or ignored, and logged once in each process; missing fields have their
defaults. This is not for the bodies of users, whose unknown fields are refused.
"""

import json
import logging
from contextlib import suppress
from enum import StrEnum
from threading import Lock
from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticSerializationError, core_schema

from service.contract.text import cut_text

_Model = TypeVar("_Model", bound=BaseModel)
_Member = TypeVar("_Member", bound=StrEnum)

_log = logging.getLogger(__name__)
_MOST_LOGGED = 1000
_MOST_CHARACTERS = 32
"""Of a value that only another version knows: as many as its column has."""
_logged: set[tuple[str, str]] = set()
_lock = Lock()


def read(kind: type[_Model], body: Any) -> _Model:
    """A value as a model that stores unknown fields; raises ValidationError.

    `model_dump` leaves these fields out, and `with_unknown_fields` includes them.
    """
    return _with_log(kind.model_validate(body, extra="allow"))


def read_json(kind: type[_Model], text: str | bytes) -> _Model:
    """A JSON text as a model that stores unknown fields; raises ValidationError."""
    return _with_log(kind.model_validate_json(text, extra="allow"))


def with_unknown_fields(model: BaseModel) -> dict[str, Any]:
    """The model as JSON, with the unknown fields that `read` has stored, at any depth."""
    body: dict[str, Any] = _restored(model, model.model_dump(mode="json"))
    return body


def json_with_unknown_fields(model: BaseModel) -> str:
    """The text of `with_unknown_fields`; a model that has none is written without Python's help."""
    if not _has_unknown_fields(model):
        with suppress(PydanticSerializationError):
            return model.model_dump_json()
    # It may have half of a surrogate pair, as an older version could store it: escaped.
    return json.dumps(with_unknown_fields(model), allow_nan=False)


def member(kind: type[_Member], text: str) -> _Member:
    """The member of an enumeration with this value; for an unknown value, a new member.

    The new member equals its text, and is not one of the members that the enumeration lists.
    """
    try:
        return kind(text)
    except ValueError:
        log_once("unknown_value", f"{kind.__name__}={text[:64]}")
    unknown = str.__new__(kind, text)
    unknown._name_ = unknown._value_ = text
    return unknown


def log_once(event: str, what: str) -> None:
    """Log a warning, once in each process, and only for the first thousand different ones."""
    with _lock:
        if (event, what) in _logged or len(_logged) >= _MOST_LOGGED:
            return
        _logged.add((event, what))
    _log.warning("%s %s", event, what)


def log_unknown_fields(value: Any) -> None:
    """Log the names of the unknown fields of a model, and of the models in it."""
    if isinstance(value, BaseModel):
        _log_names(type(value), set(value.model_extra or ()))
        for name in type(value).model_fields:
            log_unknown_fields(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            log_unknown_fields(each)
    elif isinstance(value, list | tuple) and not isinstance(next(iter(value), None), str):
        for each in value:
            log_unknown_fields(each)


class PeerMessage(BaseModel):
    """A message between a worker and a server, whose unknown fields are ignored and logged."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _log_unknown(cls, body: Any) -> Any:
        if isinstance(body, dict):
            _log_names(cls, body.keys() - cls.model_fields.keys())
        return body


class _Extensible:
    """Marks a field whose values may be unknown to this version.

    For an enumeration, an unknown text becomes a new member, as of `member`; for literals it stays
    a text. It is cut to the length of its column.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        enumeration = source if isinstance(source, type) and issubclass(source, StrEnum) else None

        def validate(value: Any, known: core_schema.ValidatorFunctionWrapHandler) -> Any:
            if not isinstance(value, str):
                return known(value)
            text = cut_text(value, _MOST_CHARACTERS)
            return text if enumeration is None else member(enumeration, text)

        written = None if enumeration is not None else core_schema.to_string_ser_schema()
        return core_schema.no_info_wrap_validator_function(
            validate, handler(source), serialization=written
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema["schema"])


Extensible = _Extensible()


def _with_log(model: _Model) -> _Model:
    log_unknown_fields(model)
    return model


def _log_names(kind: type[BaseModel], names: set[str]) -> None:
    for name in sorted(names):
        log_once("unknown_field", f"{kind.__name__}.{name[:64]}")


def _has_unknown_fields(value: Any) -> bool:
    if isinstance(value, BaseModel):
        fields = value.__dict__.values()
        return bool(value.model_extra) or any(map(_has_unknown_fields, fields))
    values = value.values() if isinstance(value, dict) else value
    return isinstance(value, dict | list | tuple) and any(map(_has_unknown_fields, values))


def _restored(value: Any, dumped: Any) -> Any:
    if isinstance(value, BaseModel):
        known = {
            name: _restored(getattr(value, name), dumped[name])
            for name in type(value).model_fields
            if name in dumped
        }
        return dumped | known | dict(value.model_extra or {})
    if isinstance(value, dict):
        return {name: _restored(value[name], dumped[str(name)]) for name in value}
    if isinstance(value, list | tuple):
        return [_restored(each, below) for each, below in zip(value, dumped, strict=True)]
    return dumped

"""The parameters of paths, queries and headers; OpenAPI shows what they may be."""

import re
from typing import Annotated, Any

from fastapi import Header, Path, Query
from pydantic import AwareDatetime, BeforeValidator

from service.contract.architectures import variant_text

_TEXT = r"^[^\x00]+$"
_NAME = r"^[^/\x00]+$"
_ID = re.compile(r"^[A-Za-z0-9_.-]+$")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,63})")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def _id(value: Any) -> Any:
    if isinstance(value, str) and not (len(value) <= 64 and _ID.fullmatch(value)):
        raise ValueError("must be an id, of at most 64 letters, digits, '_', '-' and '.'")
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number, such as 20")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("must be a number, such as 20 or 0.5")
    return value


def _boolean(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value


PathId = Annotated[str, Path(pattern=_ID.pattern, max_length=64), BeforeValidator(_id)]
"""The id of a job, a checkpoint or a worker."""
PathName = Annotated[str, Path(pattern=_NAME, max_length=255)]
"""The name of a file or a recipe."""

IdFilter = Annotated[str | None, Query(pattern=_TEXT, max_length=64)]
"""An id or a name that a list is narrowed by."""

VariantFilter = Annotated[
    str | None, Query(pattern=_TEXT, max_length=64), BeforeValidator(variant_text)
]
"""A variant that a list is narrowed by; of an architecture any text that has its digits."""

Whole = BeforeValidator(_whole)
Limit = Annotated[int, Query(ge=1, le=100), Whole]
"""How many items a page has at most."""
SamplePoints = Annotated[int, Query(ge=2, le=2000), Whole]
"""How many points each series of samples has at most."""
Past = Annotated[int, Query(ge=0, le=2**53), Whole]
"""A number after which a list begins."""
LastEventId = Annotated[int | None, Header(alias="Last-Event-ID", ge=0, le=2**53), Whole]
"""The number of the last event that a stream has sent."""
Wait = Annotated[float, Query(ge=0, le=300), BeforeValidator(_number)]
"""The seconds that a call waits for the end of a job."""


def _moment(value: Any) -> Any:
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise ValueError("must be a moment with its zone, such as 2026-11-27T08:30:00Z")
    return value


Since = Annotated[AwareDatetime | None, Query(), BeforeValidator(_moment)]
"""A moment with its zone, after which a series begins; a `+` in it is written %2B."""
Flag = Annotated[bool, BeforeValidator(_boolean)]

KEY_LENGTH = 255
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=KEY_LENGTH)
]
"""Of a call that makes a job: the same key and body give the same job again."""

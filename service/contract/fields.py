"""Kinds of field: what a user may write, and what every database can hold."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("the character U+0000 is not allowed here")
    return text


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite_ones(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    kept = {name: _finite(value) for name, value in values.items()}
    return {name: value for name, value in kept.items() if value is not None}


def _finite_within(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite_within(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite_within(each) for each in value]
    return _finite(value)


Text = Annotated[str, AfterValidator(_without_nul)]
"""A user's words: PostgreSQL has no U+0000."""

WorkerText = Annotated[str, AfterValidator(lambda text: text.replace("\0", "\ufffd"))]
"""A worker's words, which may be the tail of a log: never refused for a character."""

Id = Annotated[Text, Field(max_length=64)]
LABEL_KEY = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"
LabelKey = Annotated[str, Field(pattern=LABEL_KEY)]
"""So that `label=key:value` and a path into JSON have one meaning each."""

LabelValue = Annotated[Text, Field(max_length=255)]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]

Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Of an attempt, of GPUs: a 32-bit column."""

Step = Annotated[int, Field(ge=0, le=2**53)]
"""Of iterations, events, bytes: a 64-bit column, and exact in JavaScript."""

Measure = Annotated[float | None, BeforeValidator(_finite)]
"""None for what is no finite number: JSON and charts have no place for it."""

Metrics = Annotated[
    dict[
        Annotated[Text, Field(min_length=1, max_length=64)],
        Annotated[float, Field(allow_inf_nan=False)],
    ],
    BeforeValidator(_finite_ones),
]
"""By name what was measured, without what is no finite number."""

Result = Annotated[dict[str, Any], BeforeValidator(_finite_within)]
"""Any JSON, with null for what is no finite number."""

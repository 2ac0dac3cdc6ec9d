"""Field types with the limits of every database, of JSON and of URLs."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("the character U+0000 is not allowed here")
    return text


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite_items(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    finite = {name: _finite(value) for name, value in values.items()}
    return {name: value for name, value in finite.items() if value is not None}


def _finite_within(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite_within(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite_within(each) for each in value]
    return _finite(value)


Text = Annotated[str, AfterValidator(_without_nul)]
"""A text of a user; U+0000 is refused, since PostgreSQL cannot store it."""

WorkerText = Annotated[str, AfterValidator(lambda text: text.replace("\0", "\ufffd"))]
"""A text of a worker, such as the end of a log; U+0000 is replaced, so that it is never refused."""

Id = Annotated[Text, Field(max_length=64)]
LABEL_KEY = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"
LabelKey = Annotated[str, Field(pattern=LABEL_KEY)]
"""Without `:` and spaces, so that `label=key:value` has one meaning."""

LabelValue = Annotated[Text, Field(max_length=255)]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]

Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A number of an attempt or a count of GPUs; a 32-bit column."""

Step = Annotated[int, Field(ge=0, le=2**53)]
"""A count of iterations, events or bytes; a 64-bit column, and exact in JavaScript."""

Measure = Annotated[float | None, BeforeValidator(_finite)]
"""A number; NaN and infinite values, which JSON cannot hold, become None."""

Metrics = Annotated[
    dict[
        Annotated[Text, Field(min_length=1, max_length=64)],
        Annotated[float, Field(allow_inf_nan=False)],
    ],
    BeforeValidator(_finite_items),
]
"""Metric name -> value; NaN and infinite values are left out."""

Result = Annotated[dict[str, Any], BeforeValidator(_finite_within)]
"""A JSON object; NaN and infinite values in it become null."""

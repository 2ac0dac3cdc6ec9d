"""Field types with the limits of every database, of JSON and of URLs."""

import math
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from service.contract.json_types import NO_OTHER_NAMES
from service.contract.json_values import JsonCutTo
from service.contract.text import CutTo, ShortText, Text

RESULT_BYTES = 64 * 1024
_FIRST_YEAR, _LAST_YEAR = 1970, 9998


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite_items(values: Any) -> Any:
    if not isinstance(values, dict):
        return values
    finite = {name: _finite(value) for name, value in values.items()}
    # A value without a name costs itself alone, and not the event that it came with.
    return {name: value for name, value in finite.items() if value is not None and name != ""}


def _in_utc_range(moment: datetime) -> datetime:
    # The years at both ends overflow in another time zone.
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"must be a moment in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


Id = Annotated[Text, Field(max_length=64)]
"""An id that is asked for; one that is too long is refused, since it could name another."""

IdText = Annotated[str, CutTo(64)]
"""An id in an answer."""

Name = Annotated[Text, Field(min_length=1, max_length=200)]
"""The name of a job or of a data set, as a user writes it."""

LABEL_KEY = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$"
LabelKey = Annotated[str, Field(pattern=LABEL_KEY, max_length=63)]
"""Without `:` and spaces, so that `label=key:value` has one meaning."""

LabelValue = Annotated[Text, Field(max_length=255)]
MOST_LABELS = 64
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=MOST_LABELS), NO_OTHER_NAMES]
"""The labels of a user's job; more of them are refused."""

WorkerLabels = Annotated[dict[LabelKey, LabelValue], CutTo(MOST_LABELS), NO_OTHER_NAMES]
"""The labels of a worker; the first count."""

LabelTexts = Annotated[dict[IdText, Annotated[str, CutTo(255)]], CutTo(MOST_LABELS)]
"""Labels in an answer."""

Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", max_length=63)]
MOST_TAGS = 64

Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A number of an attempt or a count of GPUs; a 32-bit column."""

MOST_STEPS = 2**53
Step = Annotated[int, Field(ge=0, le=MOST_STEPS)]
"""A count of iterations, events or bytes; a 64-bit column, and exact in JavaScript."""

Moment = Annotated[datetime, AfterValidator(_in_utc_range)]
"""A moment that every database can hold, whatever its time zone."""

Measure = Annotated[float | None, BeforeValidator(_finite)]
"""A number; NaN and infinite values, which JSON cannot hold, become None."""

MetricName = Annotated[str, CutTo(64), Field(min_length=1)]
MOST_METRICS = 200
Metrics = Annotated[
    dict[MetricName, Annotated[float, Field(allow_inf_nan=False)]],
    CutTo(MOST_METRICS),
    BeforeValidator(_finite_items),
]
"""Metric name -> value; NaN and infinite values are left out, and one without a name."""

LeftOut = Annotated[
    dict[ShortText, Step], CutTo(64), Field(exclude_if=lambda left_out: not left_out)
]
"""By JSON pointer the lists that an answer is without, or has cut: how many items are not there.

It is only there where something was left out.
"""

Result = Annotated[dict[str, Any], JsonCutTo(RESULT_BYTES)]
"""A JSON object of a worker; NaN and infinite values in it become null."""

"""Whether a JSON value can be stored and sent again as it came: by a database, and as JSON."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

LARGEST_NUMBER = 2.0**1023
"""A number that is not smaller than this one, in absolute value, is none of JSON here."""


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

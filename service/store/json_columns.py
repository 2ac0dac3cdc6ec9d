"""Columns of JSON: strict as they are written, tolerant as they are read."""

import json
from typing import Any

from service.contract.reading import log_once


def strict_json(value: Any) -> str:
    """The text of a value; raises ValueError for NaN and the infinities."""
    # No database and no browser reads NaN: it is refused where it is written.
    return json.dumps(value, allow_nan=False)


def json_or_text(column: Any) -> Any:
    """The value of a column of JSON, or the column as it is.

    SQLite checks no column: what is no JSON must cost its row alone, and not the whole list. NaN,
    which an older version could write, is read as null.
    """
    try:
        return json.loads(column, parse_constant=lambda _: None)
    except (ValueError, TypeError):
        log_once("no_json_in_column", str(column)[:200])
        return column

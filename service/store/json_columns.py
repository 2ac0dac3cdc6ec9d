"""Columns of JSON: strict as they are written, tolerant as they are read."""

import json
from typing import Any

from service.contract.reading import log_once

_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_NO_CHARACTER = rf"\\u0000|{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}"


def is_unreadable_on_postgresql(text: str) -> str:
    """The expression whether PostgreSQL fails to read a JSON text that it has stored.

    It stores a NUL and half of a surrogate pair as escapes, and then stops the whole list for them.
    `text` is an expression of SQL. Most have no escape, for which it is quick.
    """
    return f"CASE WHEN strpos({text}, '\\u') = 0 THEN false ELSE {text} ~ '{_NO_CHARACTER}' END"


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

"""Rows as comma-separated values that a spreadsheet takes for what they are.

A text that a spreadsheet would run as a formula has an apostrophe before it; so has a text that
begins with an apostrophe, so that `plain_text` gives each text back. Numbers are written so that
they are read as the same number again; what is not finite is `nan`, `inf` or `-inf`.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

Cell = str | bool | int | float | datetime | None
"""A value of a table; None is an empty cell."""

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
# With the full-width forms, which spreadsheets of some languages take for the others.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_GUARD = "'"
# The csv module leaves a carriage return unquoted, at which readers break the line.
_QUOTED = re.compile('[",\r\n]')


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    """Rows as lines, each with its line break."""
    return "".join(f"{','.join(_quoted(cell_text(each)) for each in row)}\n" for row in rows)


def cell_text(value: Cell) -> str:
    """A value as the text of a cell, before it is quoted; moments are in UTC."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, int | float):
        return repr(value)
    return f"{_GUARD}{value}" if value.startswith((_GUARD, *_FORMULA)) else value


def plain_text(cell: str) -> str:
    """The text that a cell was made of."""
    return cell.removeprefix(_GUARD)


def _quoted(cell: str) -> str:
    if not _QUOTED.search(cell):
        return cell
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'

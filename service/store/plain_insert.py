"""Rows of one table, inserted by a statement of plain text."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table

from service.store.schema import Utc


class PlainInsert:
    """Inserts rows of a table whose values are as its driver takes them.

    A column of JSON takes its text, a moment is an aware datetime. For a row of many columns this
    costs a third of what SQLAlchemy takes to convert each value.
    """

    def __init__(self, table: Table, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._moments = [name for name in names if isinstance(table.c[name].type, Utc)]
        marks = {"qmark": "?", "pyformat": "%s"}
        self._statements = {
            style: f"INSERT INTO {table.name} ({', '.join(names)}) "
            f"VALUES ({', '.join([mark] * len(names))})"
            for style, mark in marks.items()
        }
        """By the form in which a driver takes parameters."""

    def add(self, tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, each with a value for every name; raises IntegrityError."""
        if not rows:
            return
        if tx.dialect.name == "sqlite":
            rows = [self._with_texts(row) for row in rows]
        values = [tuple(row[name] for name in self._names) for row in rows]
        tx.exec_driver_sql(self._statements[tx.dialect.paramstyle], values)

    def _with_texts(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**row, **{name: _text_of(row[name]) for name in self._moments}}


def _text_of(moment: datetime | None) -> str | None:
    """A moment as SQLAlchemy stores it in SQLite, whose texts are in the order of their moments."""
    if moment is None:
        return None
    assert moment.tzinfo is not None, "a moment without a zone"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")

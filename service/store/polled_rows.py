"""Rows that are read one by one by their keys, for little more than the driver itself takes."""

import sqlite3
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from sqlalchemy import Connection


class CannotPoll(Exception):
    """The row cannot be read at once; a transaction would wait, or say what is wrong."""


class PolledRows(ABC):
    """A connection for queries of plain text, each of one row."""

    dialect: ClassVar[str]

    @abstractmethod
    def row(self, query: str, key: str) -> tuple[Any, ...] | None:
        """The row that `query` finds for the key, which stands for its one `?`."""


class SqliteRows(PolledRows):
    """Rows of SQLite, by a connection that has no transaction; each read sees the newest commit."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def row(self, query: str, key: str) -> tuple[Any, ...] | None:
        """See PolledRows."""
        # All rows: a statement that is not at its end would keep the log from being written back.
        rows: list[tuple[Any, ...]] = self._connection.execute(query, (key,)).fetchall()
        return rows[0] if rows else None


class PostgresRows(PolledRows):
    """Rows of PostgreSQL, in the transaction of a connection of the pool."""

    dialect = "postgresql"

    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def row(self, query: str, key: str) -> tuple[Any, ...] | None:
        """See PolledRows."""
        row = self._tx.exec_driver_sql(query.replace("?", "%s"), (key,)).first()
        return tuple(row) if row is not None else None

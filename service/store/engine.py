"""The database: one writer and many readers on SQLite, a pool on PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from service.store import measurements
from service.store.json_columns import strict_json
from service.store.measurements import Observer
from service.store.polled_rows import CannotPoll, PolledRows, PostgresRows, SqliteRows
from service.store.sqlite import begin_with, lock_beside, sqlite_engine

BINARY_RESULTS = "binary_results"
"""The option of a statement that reads many bytes: PostgreSQL writes them as digits otherwise."""


class ForeignKeysBroken(Exception):
    """A migration leaves rows that refer to rows which are not there."""


class Database:
    """Transactions over one database; on SQLite one connection alone writes.

    SQLite runs with WAL and `synchronous=FULL`: what is committed survives a power cut. With one
    writing connection its WAL cannot be reset under another's feet
    (https://sqlite.org/wal.html#walresetbug).
    """

    def __init__(self, url: str) -> None:
        self.url = url_of(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock = lock_beside(self.url) if self.is_sqlite else None
        self._poller: Connection | None = None
        self._observers: list[Observer] = []
        if self.is_sqlite:
            self._writer = sqlite_engine(self.url, pool_size=1, max_overflow=0)
            begin_with("BEGIN IMMEDIATE", self._writer)
            self._reader = sqlite_engine(self.url, pool_size=8, max_overflow=32, read_only=True)
            begin_with("BEGIN", self._reader)
        else:
            self._writer = create_engine(
                self.url,
                pool_size=16,
                max_overflow=16,
                pool_pre_ping=True,
                json_serializer=strict_json,
            )
            self._reader = self._writer
            event.listen(self._writer, "before_cursor_execute", _take_option)

    def add_observer(self, observer: Observer) -> None:
        """Give `observer` what a transaction has measured, once it is committed; once, if again."""
        if observer not in self._observers:
            self._observers.append(observer)

    @property
    def engine(self) -> Engine:
        """The engine that writes."""
        return self._writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may change things; committed when the block ends well."""
        with self._writer.begin() as tx:
            measurements.take(tx)
            yield tx
            measured = measurements.take(tx)
        if measured:
            for observe in self._observers:
                observe(measured)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees a single moment and changes nothing."""
        with self._reader.connect() as tx:
            yield tx

    @contextmanager
    def poll(self) -> Iterator[PolledRows]:
        """For queries that each read one row by its key; raises CannotPoll.

        On SQLite by a connection that is kept open, is for one thread alone, and waits for no lock:
        so a query costs microseconds, and may run on an event loop. On PostgreSQL by one of the
        pool, as that of `read`.
        """
        try:
            if self.is_sqlite:
                yield SqliteRows(self._open_poller())
            else:
                with self.read() as tx:
                    yield PostgresRows(tx)
        except (SQLAlchemyError, sqlite3.Error) as error:
            self._close_poller()
            raise CannotPoll from error

    @contextmanager
    def migrate(self) -> Iterator[Connection]:
        """One transaction that may make tables anew; foreign keys hold at its end.

        SQLite changes a table by copying it and dropping the old one, which would count as deleting
        all that others refer to. Raises ForeignKeysBroken, and then changes nothing.
        """
        with self._writer.connect() as tx:
            if not self.is_sqlite:
                with tx.begin():
                    yield tx
                return
            # The pragma has no effect within a transaction.
            driver = tx.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA foreign_keys=OFF")
            try:
                with tx.begin():
                    yield tx
                    _check_foreign_keys(tx)
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def close(self) -> None:
        """Close every connection and let another server have the file."""
        self._close_poller()
        self._reader.dispose()
        self._writer.dispose()
        if self._lock is not None:
            self._lock.close()

    def _open_poller(self) -> sqlite3.Connection:
        if self._poller is None:
            engine = sqlite_engine(
                self.url, pool_size=1, max_overflow=0, read_only=True, wait_seconds=0
            )
            self._poller = engine.connect()
        connection = self._poller.connection.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection

    def _close_poller(self) -> None:
        if self._poller is not None:
            self._poller.close()
            self._poller.engine.dispose()
            self._poller = None


def _check_foreign_keys(tx: Connection) -> None:
    broken = tx.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({f"{row.table} -> {row.parent}" for row in broken}))
        refer = "1 row refers" if len(broken) == 1 else f"{len(broken)} rows refer"
        raise ForeignKeysBroken(f"{refer} to rows that are not there: {tables}")


def url_of(text: str) -> URL:
    """The URL of a database with its driver; raises ValueError, and ArgumentError."""
    parsed = make_url(text)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("an SQLite database needs a file: sqlite:///path/to/trainyard.db")
    return parsed


def _take_option(_: Connection, cursor: Any, __: str, ___: Any, context: Any, ____: bool) -> None:
    if context is not None and context.execution_options.get(BINARY_RESULTS):
        # The number of the format in PostgreSQL's protocol: the driver need not be installed.
        cursor.format = 1

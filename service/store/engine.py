"""The database: one writer and many readers on SQLite, a pool on PostgreSQL."""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from service.contract.reading import log_once
from service.store import measurements
from service.store.measurements import Observer
from service.store.polled_rows import CannotPoll, PolledRows, PostgresRows, SqliteRows

_WAIT_SECONDS = 30.0
BINARY_RESULTS = "binary_results"
"""The option of a statement that reads many bytes: PostgreSQL writes them as digits otherwise."""


class DatabaseInUse(Exception):
    """Another server has the SQLite file open; the message names the file."""


class ForeignKeysBroken(Exception):
    """A migration leaves rows that refer to rows which are not there."""


class Database:
    """Transactions over one database; on SQLite one connection alone writes.

    SQLite runs with WAL and `synchronous=FULL`: what is committed survives a power cut. With one
    writing connection its WAL cannot be reset under another's feet
    (https://sqlite.org/wal.html#walresetbug).
    """

    def __init__(self, url: str) -> None:
        self.url = _normal(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock = _lock_beside(self.url) if self.is_sqlite else None
        self._poller: Connection | None = None
        self._observers: list[Observer] = []
        if self.is_sqlite:
            self._writer = _sqlite(self.url, pool_size=1, max_overflow=0)
            _begin_with("BEGIN IMMEDIATE", self._writer)
            self._reader = _sqlite(self.url, pool_size=8, max_overflow=32, read_only=True)
            _begin_with("BEGIN", self._reader)
        else:
            self._writer = create_engine(
                self.url,
                pool_size=16,
                max_overflow=16,
                pool_pre_ping=True,
                json_serializer=_strict_json,
            )
            self._reader = self._writer
            event.listen(self._writer, "before_cursor_execute", _take_option)

    @staticmethod
    def url_of(text: str) -> URL:
        """The URL of a database with its driver; raises ValueError, and ArgumentError."""
        return _normal(text)

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
            engine = _sqlite(self.url, pool_size=1, max_overflow=0, read_only=True, wait_seconds=0)
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


def _normal(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ValueError("an SQLite database needs a file: sqlite:///path/to/trainyard.db")
    return parsed


def _lock_beside(url: URL) -> TextIO:
    assert url.database is not None
    file = Path(url.database).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    # SQLite gives the files beside it the mode of the database.
    open(file, "ab", opener=_private).close()
    lock = open(f"{file}.lock", "w", opener=_private)  # noqa: SIM115 (held until close)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise DatabaseInUse(
            f"another server has {url.database} open: stop it, give this one another database, "
            "or use PostgreSQL, which any number of servers may share"
        ) from None
    return lock


def _private(path: str, flags: int) -> int:
    """A file that is made here is for the user of this server alone: it has leases' tokens."""
    return os.open(path, flags, 0o600)


def _strict_json(value: Any) -> str:
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


def _sqlite(
    url: URL,
    *,
    pool_size: int,
    max_overflow: int,
    read_only: bool = False,
    wait_seconds: float = _WAIT_SECONDS,
) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=_WAIT_SECONDS,
        connect_args={"timeout": wait_seconds, "check_same_thread": False},
        json_serializer=_strict_json,
        json_deserializer=json_or_text,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        # The driver's own BEGIN is deferred, and comes too late; SQLAlchemy's event gives ours.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if read_only:
            cursor.execute("PRAGMA wal_autocheckpoint=0")
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return engine


def _take_option(_: Connection, cursor: Any, __: str, ___: Any, context: Any, ____: bool) -> None:
    if context is not None and context.execution_options.get(BINARY_RESULTS):
        # The number of the format in PostgreSQL's protocol: the driver need not be installed.
        cursor.format = 1


def _begin_with(statement: str, engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

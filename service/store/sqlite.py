"""Connections to an SQLite file, which one server has at a time."""

import fcntl
import os
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

from service.store.json_columns import json_or_text, strict_json

_WAIT_SECONDS = 30.0


class DatabaseInUse(Exception):
    """Another server has the SQLite file open; the message names the file."""


def lock_beside(url: URL) -> TextIO:
    """The lock of a file, which is made where it is missing; raises DatabaseInUse."""
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


def sqlite_engine(
    url: URL,
    *,
    pool_size: int,
    max_overflow: int,
    read_only: bool = False,
    wait_seconds: float = _WAIT_SECONDS,
) -> Engine:
    """Connections with WAL that a power cut takes nothing from; `begin_with` opens transactions."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=_WAIT_SECONDS,
        connect_args={"timeout": wait_seconds, "check_same_thread": False},
        json_serializer=strict_json,
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


def begin_with(statement: str, engine: Engine) -> None:
    """Have each transaction of the engine begin with this statement."""

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

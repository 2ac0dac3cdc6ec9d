"""Both databases, real ones: without rows for each test, migrated once."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from api_tests.support.comparison_table import pytest_terminal_summary as pytest_terminal_summary
from api_tests.support.early_failures import pytest_configure as pytest_configure
from api_tests.support.postgres import Postgres
from api_tests.support.xdist_groups import (
    pytest_collection_modifyitems as pytest_collection_modifyitems,
)
from api_tests.support.xdist_groups import (
    pytest_xdist_make_scheduler as pytest_xdist_make_scheduler,
)
from service.store.engine import Database
from service.store.migrate import upgrade

# structlog's own form of a stack draws the values of all variables, which takes seconds.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# Servers of tests are on this machine, which no proxy of the developer's can call.
for _name in ("no_proxy", "NO_PROXY"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1,localhost"]))


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
    with database.migrate() as tx:
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
    yield from _migrated(request, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A migrated database of each kind for all tests of a file."""
    yield from _migrated(request, tmp_path_factory.mktemp("database"))


def _migrated(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "trainyard.db")
        with closing(Database(f"sqlite:///{folder}/trainyard.db")) as database:
            yield database
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = postgres.lend()
    with closing(Database(url)) as database:
        yield database
    postgres.take_back(url)


@pytest.fixture
def sqlite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite file."""
    shutil.copy(migrated_sqlite, tmp_path / "trainyard.db")
    database = Database(f"sqlite:///{tmp_path}/trainyard.db")
    yield database
    database.close()

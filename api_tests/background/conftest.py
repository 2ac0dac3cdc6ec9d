from pathlib import Path

import pytest

from api_tests.support.server_context import Clock, server_context
from service.context import AppContext
from service.store.engine import Database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def context(database: Database, clock: Clock, tmp_path: Path) -> AppContext:
    """A server over a database of each kind."""
    return server_context(database, tmp_path, clock)

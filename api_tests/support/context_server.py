"""Fixtures: the routes of a context on a port, and a context without tokens over SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.context import AppContext
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def context(sqlite: Database, tmp_path: Path) -> AppContext:
    """What the server works with; a test makes tokens by it."""
    return server_context(sqlite, tmp_path, Clock(), Settings(volume=tmp_path))


@pytest.fixture
def server(context: AppContext) -> Iterator[ThreadedServer]:
    """Its routes."""
    server = ThreadedServer(context)
    yield server
    server.stop()

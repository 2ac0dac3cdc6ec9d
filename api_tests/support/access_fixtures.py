"""Fixtures: a server that wants tokens, and people who have some."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api_tests.support.access import clients_of_people
from api_tests.support.context_server import server
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.context import AppContext
from service.settings import Settings
from service.store.engine import Database

__all__ = ["TOKEN", "clock", "context", "people", "server"]

TOKEN = "of-the-settings"


@pytest.fixture
def clock() -> Clock:
    """The time of the server, which the test turns on."""
    return Clock()


@pytest.fixture
def context(database: Database, tmp_path: Path, clock: Clock) -> AppContext:
    """A server with a token in its settings, over a database of each kind."""
    settings = Settings(volume=tmp_path, token=TOKEN)
    return server_context(database, tmp_path, clock, settings)


@pytest.fixture
def people(context: AppContext, server: ThreadedServer) -> Iterator[dict[str, httpx.Client]]:
    """By name a client with a token of its own; ann is an admin, vic a viewer."""
    with clients_of_people(context, server.url) as clients:
        yield clients

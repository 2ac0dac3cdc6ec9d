"""Fixtures: a real server for all tests of a file, with an agent and a client of its own."""

from collections.abc import Iterator

import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server
from service.client import Client


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def agent(server: Server) -> Iterator[FakeAgent]:
    """A worker that only its own jobs fit."""
    with FakeAgent(server) as agent:
        yield agent


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url) as client:
        yield client

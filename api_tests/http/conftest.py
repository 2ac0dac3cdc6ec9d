from collections.abc import Iterator

import httpx
import pytest

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.runs import ERRORS, Run
from api_tests.support.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests that share it well: each has jobs of its own."""
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def http(server: Server) -> httpx.Client:
    return server.http


@pytest.fixture
def agent(server: Server) -> Iterator[FakeAgent]:
    """A worker that only its own jobs fit."""
    agent = FakeAgent(server)
    yield agent
    agent.http.close()


@pytest.fixture
def run(server: Server, agent: FakeAgent) -> Run:
    run = Run(server, agent)
    for step, error in ERRORS.items():
        run.save(step, error)
    return run

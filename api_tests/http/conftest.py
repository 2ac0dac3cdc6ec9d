from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.four_jobs import four_jobs as four_jobs
from api_tests.support.four_jobs import yard as yard
from api_tests.support.own_server import agent as agent
from api_tests.support.postgres import Postgres
from api_tests.support.runs import ERRORS, Run
from api_tests.support.server import Server
from api_tests.support.server_context import Clock, server_context
from api_tests.support.webhook_fixtures import receiver as receiver
from service.api.app import build_app
from service.store.engine import Database


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests that share it well: each has jobs of its own."""
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server_on_each_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One on a database of each kind, for all tests of a file."""
    settings: dict[str, str] = {}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings["database_url"] = postgres.make()
    server = Server(tmp_path_factory.mktemp("server"), **settings)
    yield server
    server.stop()


@pytest.fixture
def http(server: Server) -> httpx.Client:
    return server.http


@pytest.fixture
def run(server: Server, agent: FakeAgent) -> Run:
    run = Run(server, agent)
    for step, error in ERRORS.items():
        run.save(step, error)
    return run


@pytest.fixture
def app(sqlite: Database, tmp_path: Path) -> FastAPI:
    """The application without a server, to look at its routes."""
    return build_app(server_context(sqlite, tmp_path, Clock()))

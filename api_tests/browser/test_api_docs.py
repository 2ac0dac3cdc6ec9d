"""The page of the API's documentation, behind a prefix and without the internet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def server(sqlite: Database, tmp_path: Path) -> Iterator[ThreadedServer]:
    settings = Settings(volume=tmp_path, root_path="/yard")
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock(), settings))
    yield server
    server.stop()


def test_the_documentation_shows_the_operations_and_asks_no_other_server(
    server: ThreadedServer, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/yard/docs")
    expect(page.get_by_text("/jobs/{job_id}/cancel")).to_be_visible()
    foreign = [url for url in asked if not url.startswith((f"{server.url}/yard/", "data:"))]
    assert not foreign

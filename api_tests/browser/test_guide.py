"""The guide in a browser: behind a prefix, by the server's policy, and without the internet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.axe import violations
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from guide.build import build
from service.api import guide
from service.settings import Settings
from service.store.engine import Database


@pytest.fixture
def server(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ThreadedServer]:
    build(tmp_path / "guide")
    monkeypatch.setattr(guide, "FOLDER", tmp_path / "guide")
    settings = Settings(volume=tmp_path, root_path="/yard")
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock(), settings))
    yield server
    server.stop()


def test_the_guide_is_read_and_searched_without_another_server(
    server: ThreadedServer, page: Page, console: list[str]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/yard/")
    page.get_by_role("link", name="Guide", exact=True).click()
    expect(page.get_by_role("heading", name="Trainyard", level=1)).to_be_visible()
    page.get_by_role("link", name="Ten minutes").first.click()
    expect(page.get_by_role("heading", name="Ten minutes", level=1)).to_be_visible()
    page.get_by_role("textbox", name="Search").fill("out_of_memory")
    page.locator("a.md-search-result__link", has_text="Read a failed job").first.click()
    expect(page.get_by_role("heading", name="Read a failed job")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{server.url}/yard/guide/reference/commands/")
    assert violations(page) == []
    foreign = [url for url in asked if not url.startswith((f"{server.url}/yard/", "data:"))]
    assert not foreign
    assert not console

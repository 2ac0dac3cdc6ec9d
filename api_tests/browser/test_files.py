"""The page and its files as the server itself sends them."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api_tests.support.fake_dashboard_server import DEADLINE_MS
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database


@pytest.mark.parametrize("prefix", ["", "/yard"])
def test_a_visit_loads_no_file_of_the_page_twice(
    browser: Browser, sqlite: Database, tmp_path: Path, prefix: str
) -> None:
    settings = Settings(volume=tmp_path, root_path=prefix)
    server = ThreadedServer(server_context(sqlite, tmp_path, Clock(), settings))
    context = browser.new_context(base_url=server.url)
    context.set_default_timeout(DEADLINE_MS)
    page, sent, errors = context.new_page(), list[str](), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("response", lambda answer: sent.append(answer.url))
    page.goto(f"{prefix}/")
    expect(page.get_by_text("No jobs yet")).to_be_visible()
    expect(page.get_by_text("curl")).to_be_visible()
    files = [url for url in sent if "/dashboard/" in url]
    assert len(files) > 20
    base = f"{server.url}{prefix}/dashboard/"
    (folder,) = {url.removeprefix(base).partition("/")[0] for url in files}
    assert re.fullmatch("[0-9a-f]{16}", folder)
    page.reload()
    expect(page.get_by_text("curl")).to_be_visible()
    transferred = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter((e) => e.name.includes('/dashboard/') && e.transferSize > 0).map((e) => e.name)"
    )
    assert transferred == []
    assert errors == []
    context.close()
    server.stop()

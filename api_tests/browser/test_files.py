"""The page and its files as the server itself sends them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from api_tests.support.fake_dashboard_server import DEADLINE_MS
from api_tests.support.server import Server
from api_tests.support.server_context import Clock, server_context
from api_tests.support.threaded_server import ThreadedServer
from service.settings import Settings
from service.store.engine import Database

MOST_BYTES = 250_000
MOST_FILES = 120
_TRANSFERS = """["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
  .map((entry) => entry.transferSize)"""
_FILES = "performance.getEntriesByType('resource').map((entry) => entry.name)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("files"))
    yield server
    server.stop()


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


def test_a_first_visit_of_a_job_is_small(browser: Browser, server: Server) -> None:
    job = {"kind": "train", "recipe": "oneshot", "data": {"dataset": "digits"}}
    job_id = server.http.post("/jobs", json=job).json()["id"]
    context = browser.new_context(base_url=server.url)
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    page.goto(f"/#/jobs/{job_id}")
    expect(page.get_by_role("img", name="Loss")).to_be_visible()
    page.wait_for_load_state("networkidle")
    transferred, names = page.evaluate(_TRANSFERS), page.evaluate(_FILES)
    context.close()
    assert sum(transferred) < MOST_BYTES
    # How often the page has polled until then depends on how busy the machine is.
    files = {name for name in names if "/dashboard/" in name}
    assert len(files) < MOST_FILES
    asked = [name for name in names if name not in files]
    for part in ("/attempts", "/lineage", "/metrics?", "/checkpoints?"):
        assert len([name for name in asked if part in name]) == 1, part


def test_a_page_that_cannot_be_loaded_is_loaded_again_on_demand(
    browser: Browser, server: Server
) -> None:
    context = browser.new_context(base_url=server.url)
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    page.goto("/#/jobs")
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    page.route("**/submit_page.js", lambda route: route.abort())
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    page.unroute("**/submit_page.js")
    page.get_by_role("button", name="Load again").click()
    expect(page.get_by_label("Recipe")).to_be_visible()
    context.close()

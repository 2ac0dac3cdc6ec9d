"""The page behind the prefix of a proxy, and on a server that wants a token."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.fake_dashboard_server import DEADLINE_MS, FakeDashboardServer
from api_tests.support.server import Server

TOKEN = "correct-horse"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One that wants a token; its own client sends it."""
    server = Server(tmp_path, token=TOKEN)
    server.http.headers["Authorization"] = f"Bearer {TOKEN}"
    yield server
    server.stop()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Any]:
    """A new tab at an address."""
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(DEADLINE_MS)

    def open_page(url: str) -> Page:
        page = context.new_page()
        page.goto(url)
        return page

    yield open_page
    context.close()


def test_the_page_works_below_a_prefix(visit: Any, a_job: Any, a_checkpoint: Any) -> None:
    fake = FakeDashboardServer("/yard")
    try:
        fake.jobs = [a_job(1, name="behind a proxy")]
        fake.checkpoints = [a_checkpoint(fake.jobs[0].id, 100)]
        fake.series = {"loss": [[1, 2.3], [60, 0.9]]}
        page = visit(f"{fake.url}/yard/")
        page.get_by_role("link", name="behind a proxy").click()
        expect(page.locator(".chart canvas")).to_have_count(1)
        file = page.get_by_role("link", name="model.safetensors")
        assert file.evaluate("link => link.href").startswith(f"{fake.url}/yard/checkpoints/")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".job-head .badge")).to_have_text("pausing")
    finally:
        fake.stop()


def test_a_server_with_a_token_is_seen_once_the_token_is_given(visit: Any, server: Server) -> None:
    agent = FakeAgent(server, TOKEN)
    job = agent.submit(name="guarded")
    claim = agent.claim()
    checkpoint = agent.save(claim, 1)
    page = visit(server.url)
    dialog = page.get_by_role("dialog", name="This server needs a token")
    dialog.get_by_label("Token").fill("wrong")
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog).to_contain_text("This is not the token of the server.")
    dialog.get_by_label("Token").fill(f" {TOKEN} ")
    dialog.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="guarded").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="model.safetensors").click()
    assert download.value.suggested_filename == "model.safetensors"
    assert Path(download.value.path()).read_bytes() == b"weights"
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".job-head .badge")).to_have_text("pausing")
    # Another tab of the same browser knows it.
    expect(visit(f"{server.url}/#/jobs/{job['id']}").locator("h1")).to_have_text("guarded")
    page.get_by_role("button", name="Forget the token").click()
    expect(dialog).to_be_visible()
    assert agent.http.get(f"/checkpoints/{checkpoint}").status_code == 200
    agent.http.close()

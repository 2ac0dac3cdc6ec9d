"""What the page says of a server that hangs, and of one that was upgraded."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api_tests.support.fake_dashboard_server import DEADLINE_MS
from api_tests.support.server import Server

LOOK = "document.dispatchEvent(new Event('visibilitychange'))"
WITHIN_MS = 10_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.stop()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=server.url)
    context.set_default_timeout(DEADLINE_MS)
    yield context.new_page()
    context.close()


def test_a_server_that_accepts_and_does_not_answer_is_said_and_the_page_recovers(
    page: Page, server: Server
) -> None:
    page.goto("/#/workers")
    expect(page.get_by_text("No workers", exact=True)).to_be_visible()
    server.process.send_signal(signal.SIGSTOP)
    banner = page.locator("#banner")
    expect(banner).to_contain_text("Reconnecting", timeout=WITHIN_MS)
    expect(page.get_by_text("No workers", exact=True)).to_be_visible()
    server.process.send_signal(signal.SIGCONT)
    expect(banner).to_be_empty()


def test_a_page_of_before_an_upgrade_says_so_once(page: Page) -> None:
    with page.expect_response("**/version"):
        page.goto("/#/workers")
    notice = page.locator(".notice")
    expect(page.get_by_text("No workers", exact=True)).to_be_visible()
    expect(notice).to_be_empty()
    digest = "0" * 16
    page.route("**/version", lambda route: route.fulfill(json={"version": "9.9.9", "page": digest}))
    page.evaluate(LOOK)
    expect(notice).to_contain_text("9.9.9")
    notice.get_by_role("button", name="Later").click()
    expect(notice).to_be_empty()
    with page.expect_response("**/version"):
        page.evaluate(LOOK)
    expect(notice).to_be_empty()
    digest = "1" * 16
    page.evaluate(LOOK)
    notice.get_by_role("button", name="Reload").click()
    page.wait_for_load_state()

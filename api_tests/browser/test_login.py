"""The login of a server with a token, behind a prefix, and what a session that ends leaves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.fake_dashboard_server import DEADLINE_MS
from api_tests.support.reverse_proxy import reverse_proxy
from api_tests.support.server import Server

TOKEN = "correct-horse"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that wants a token, below a prefix; its own client sends it."""
    server = Server(tmp_path_factory.mktemp("server"), token=TOKEN, root_path="/yard")
    yield server
    server.stop()


@pytest.fixture
def agent(server: Server) -> Iterator[FakeAgent]:
    with FakeAgent(server, TOKEN) as agent:
        yield agent


@pytest.fixture
def context(browser: Browser, server: Server) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    context = browser.new_context(accept_downloads=True, base_url=server.url)
    context.set_default_timeout(DEADLINE_MS)
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext) -> Callable[[str], Page]:
    """A new tab at an address below the prefix."""

    def open_page(address: str = "") -> Page:
        page = context.new_page()
        page.goto(f"/yard/{address}")
        return page

    return open_page


def _dialog(page: Page, name: str = "Log in to Trainyard") -> Locator:
    return page.get_by_role("dialog", name=name)


def _log_in(dialog: Locator, token: str = TOKEN) -> None:
    dialog.get_by_label("Token").fill(token)
    dialog.get_by_role("button", name="Log in").click()


def test_who_has_given_the_token_sees_changes_and_downloads_and_no_script_has_it(
    visit: Any, context: BrowserContext, agent: FakeAgent
) -> None:
    job = agent.submit(name="guarded")
    agent.save(agent.claim(), 1)
    page = visit()
    _log_in(_dialog(page), "wrong")
    expect(_dialog(page)).to_contain_text("This is not a token of this server")
    _log_in(_dialog(page), f" {TOKEN} ")
    page.get_by_role("link", name="guarded").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="model.safetensors").click()
    assert download.value.suggested_filename.endswith("-model.safetensors")
    assert Path(download.value.path()).read_bytes() == b"weights"
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".job-head .badge")).to_have_text("pausing")
    (cookie,) = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/yard")
    assert page.evaluate("[document.cookie, localStorage.length]") == ["", 0]
    # Another tab of the same browser knows it.
    other = visit(f"#/jobs/{job['id']}")
    expect(other.locator("h1")).to_have_text("guarded")
    page.get_by_role("button", name="Log out").click()
    expect(_dialog(page)).to_be_visible()
    expect(page.get_by_text("guarded")).to_have_count(0)
    assert context.cookies() == []
    expect(_dialog(other, "Log in again")).to_be_visible()


def test_a_session_that_has_ended_asks_again_and_what_was_asked_for_is_done(
    visit: Any, context: BrowserContext, agent: FakeAgent
) -> None:
    job = agent.submit(name="long")
    page = visit(f"#/jobs/{job['id']}")
    _log_in(_dialog(page))
    page.get_by_role("button", name="Cancel…").click()
    question = page.get_by_role("dialog", name="Cancel this job?")
    expect(question).to_be_visible()
    context.clear_cookies()
    again = _dialog(page, "Log in again")
    expect(again).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    _log_in(again)
    question.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".job-head .badge")).to_have_text("cancelled")
    expect(page.locator("main .callout[data-tone=bad]")).to_have_count(0)


def test_an_action_that_meets_an_ended_session_is_done_after_the_login(
    visit: Any, context: BrowserContext, agent: FakeAgent
) -> None:
    job = agent.submit()
    page = visit(f"#/jobs/{job['id']}")
    _log_in(_dialog(page))
    pause = page.get_by_role("button", name="Pause")
    expect(pause).to_be_visible()
    context.clear_cookies()
    pause.evaluate("button => button.click()")
    _log_in(_dialog(page, "Log in again"))
    expect(page.locator(".job-head .badge")).to_have_text("paused")


def test_a_login_in_one_tab_goes_on_in_the_other_and_an_old_token_is_removed(
    visit: Any, agent: FakeAgent
) -> None:
    agent.submit(name="shared")
    page, other = visit(), visit()
    other.evaluate("localStorage.setItem('trainyard-token', 'old')")
    _log_in(_dialog(page))
    expect(page.get_by_role("link", name="shared")).to_be_visible()
    other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(other.get_by_role("link", name="shared")).to_be_visible()
    other.reload()
    expect(other.get_by_role("link", name="shared")).to_be_visible()
    assert other.evaluate("localStorage.getItem('trainyard-token')") is None


def test_the_login_works_behind_a_proxy_that_takes_the_prefix_away_and_puts_in_its_own_host(
    context: BrowserContext, server: Server, agent: FakeAgent
) -> None:
    job = agent.submit(name="proxied")
    with reverse_proxy(server.url, "/yard") as address:
        page = context.new_page()
        page.goto(f"{address}/#/jobs/{job['id']}")
        _log_in(_dialog(page))
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".job-head .badge")).to_have_text("paused")
        assert [cookie["path"] for cookie in context.cookies()] == ["/yard"]
        page.get_by_role("button", name="Log out").click()
        expect(_dialog(page)).to_be_visible()
        assert context.cookies() == []
        page.close()

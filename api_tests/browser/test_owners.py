"""Whose a job is, as the page shows it to its owner, to others and to those who only look."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api_tests.support.access import bearer, make_token
from api_tests.support.context_server import context, server
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.fake_dashboard_server import DEADLINE_MS
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.context import AppContext
from service.contract.access import Role

__all__ = ["context", "server"]

ROW = "tr[data-job]"
WIDTH = 1280
_PEOPLE = {"ann": Role.ADMIN, "bob": Role.USER, "eve": Role.USER, "vic": Role.VIEWER}


@pytest.fixture
def secrets(context: AppContext) -> dict[str, str]:
    return {name: make_token(context, name, role).secret for name, role in _PEOPLE.items()}


@pytest.fixture
def visit(browser: Browser, server: ThreadedServer) -> Iterator[Callable[..., Page]]:
    """A browser of somebody's own at an address, who logs in if a secret is given."""
    windows = []

    def open_page(address: str, secret: str | None = None) -> Page:
        viewport = {"width": WIDTH, "height": 800}
        window = browser.new_context(base_url=server.url, viewport=viewport)  # type: ignore[arg-type]
        windows.append(window)
        window.set_default_timeout(DEADLINE_MS)
        page = window.new_page()
        page.goto(f"/{address}")
        if secret is not None:
            page.get_by_label("Token").fill(secret)
            page.get_by_role("button", name="Log in").click()
        return page

    yield open_page
    for window in windows:
        window.close()


def _submit(server: ThreadedServer, secret: str | None, name: str) -> str:
    headers = bearer(secret) if secret is not None else {}
    answer = server.http.post("/jobs", json=SPEC | {"name": name}, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _head(page: Page) -> Locator:
    return page.get_by_role("columnheader", name="By", exact=True)


def test_the_list_shows_owners_fits_the_window_and_is_narrowed_to_ones_own(
    visit: Callable[..., Page], server: ThreadedServer, secrets: dict[str, str]
) -> None:
    for name in ("bob", "eve"):
        _submit(server, secrets[name], f"run of {name}")
    page = visit("#/jobs?state=queued", secrets["bob"])
    expect(_head(page)).to_be_visible()
    expect(page.locator(f"{ROW} .col-submitted_by")).to_have_text(["eve", "bob"])
    box = "[...document.querySelectorAll('.job-box')].map((e) => e.scrollWidth - e.clientWidth)"
    assert page.evaluate(box) == [0]
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    mine = page.get_by_role("button", name="Mine", exact=True)
    mine.click()
    expect(page.locator(f"{ROW} .title")).to_have_text(["run of bob"])
    assert page.url.endswith("#/jobs?state=queued&submitted_by=bob")
    expect(page.get_by_role("list", name="Filters")).to_have_count(0)
    page.reload()
    expect(page.locator(f"{ROW} .title")).to_have_text(["run of bob"])
    expect(mine).to_have_attribute("aria-pressed", "true")
    mine.click()
    expect(page.locator(ROW)).to_have_count(2)
    page.locator(f"{ROW} .col-submitted_by").get_by_role("link", name="eve").click()
    expect(page.locator(f"{ROW} .title")).to_have_text(["run of eve"])
    page.get_by_role("link", name="Without the filter by eve").click()
    expect(page.locator(ROW)).to_have_count(2)


def test_a_server_without_tokens_shows_no_owners(
    visit: Callable[..., Page], server: ThreadedServer
) -> None:
    job = _submit(server, None, "of nobody")
    page = visit("#/jobs?columns=recipe,submitted_by")
    expect(page.locator(ROW)).to_have_count(1)
    page.wait_for_load_state("networkidle")
    expect(_head(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Mine", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_label("By", exact=True)).to_have_count(0)
    page.goto(f"{server.url}/#/jobs/{job}")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".job-head .identity")).not_to_contain_text("submitted by")


@pytest.mark.parametrize(
    ("who", "may_steer", "may_submit"),
    [("ann", True, True), ("bob", True, True), ("eve", False, True), ("vic", False, False)],
)
def test_a_jobs_page_names_its_owner_and_has_the_buttons_of_who_may_use_them(
    visit: Callable[..., Page],
    server: ThreadedServer,
    secrets: dict[str, str],
    who: str,
    may_steer: bool,
    may_submit: bool,
) -> None:
    job = _submit(server, secrets["bob"], "guarded")
    page = visit(f"#/jobs/{job}", secrets[who])
    expect(page.locator(".session .user")).to_have_text(who)
    expect(page.locator(".job-head .identity")).to_contain_text("submitted by bob")
    for button in ("Pause", "Cancel…"):
        shown = page.get_by_role("button", name=button, exact=True)
        expect(shown).to_have_count(int(may_steer))
    expect(page.get_by_role("link", name="Clone and edit")).to_have_count(int(may_submit))
    site = page.get_by_role("navigation", name="Site")
    expect(site.get_by_role("link", name="Submit", exact=True)).to_have_count(int(may_submit))
    page.goto(f"{server.url}/#/jobs")
    page.get_by_label("Select guarded").click()
    bar = page.get_by_role("region", name="Selected jobs")
    expect(bar.get_by_role("button", name="Clear")).to_be_visible()
    expect(bar.get_by_role("button", name="Cancel…")).to_have_count(int(may_submit))


@pytest.mark.parametrize(("who", "may_change"), [("bob", True), ("eve", False), ("vic", False)])
def test_a_checkpoint_is_changed_by_those_who_may_change_its_job(
    visit: Callable[..., Page],
    server: ThreadedServer,
    context: AppContext,
    secrets: dict[str, str],
    who: str,
    may_change: bool,
) -> None:
    _submit(server, secrets["bob"], "guarded")
    agent = FakeAgent(server, make_token(context, "gpu-7", Role.WORKER).secret)
    claim = agent.claim()
    checkpoint = agent.save(claim, 1)
    agent.report(claim)
    agent.http.close()
    page = visit(f"#/checkpoints/{checkpoint}", secrets[who])
    expect(page.locator(".session .user")).to_have_text(who)
    expect(page.get_by_role("link", name="guarded").first).to_be_visible()
    reason = page.get_by_text("Only bob or an admin may change it.")
    expect(reason).to_have_count(int(not may_change))
    for button in ("Pin ", "Edit the tags of ", "Delete…"):
        expect(page.get_by_role("button", name=button)).to_have_count(int(may_change))
    expect(page.get_by_role("button", name="Verify")).to_have_count(int(who != "vic"))

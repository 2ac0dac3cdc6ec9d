"""The page of the audit list, of a real server."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from api_tests.support.access import bearer, make_token
from api_tests.support.axe import violations
from api_tests.support.context_server import context, server
from api_tests.support.fake_dashboard_server import DEADLINE_MS
from api_tests.support.specs import SPEC
from api_tests.support.threaded_server import ThreadedServer
from service.context import AppContext
from service.contract.access import Role

__all__ = ["context", "server"]

_MANY = 60


@pytest.fixture
def visitor(browser: Browser, server: ThreadedServer) -> Iterator[Page]:
    """A tab at the list, whose login is open."""
    tab = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    tab.set_default_timeout(DEADLINE_MS)
    page = tab.new_page()
    page.goto("/#/audit")
    yield page
    tab.close()


@pytest.fixture
def secrets(context: AppContext) -> dict[str, str]:
    """Made before anybody visits: a server without tokens asks for no login."""
    roles = {"ann": Role.ADMIN, "bob": Role.USER}
    return {name: make_token(context, name, role).secret for name, role in roles.items()}


def _log_in(page: Page, secret: str) -> None:
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Log in").click()


def test_an_admin_reads_the_list_narrows_it_and_loads_more(
    secrets: dict[str, str], server: ThreadedServer, visitor: Page
) -> None:
    job = server.http.post("/jobs", json=SPEC, headers=bearer(secrets["bob"])).json()["id"]
    for number in range(_MANY):
        edit = {"priority": number + 1}
        server.http.patch(f"/jobs/{job}", json=edit, headers=bearer(secrets["ann"]))
    _log_in(visitor, secrets["ann"])
    site = visitor.get_by_role("navigation", name="Site")
    expect(site.get_by_role("link", name="Audit")).to_have_attribute("aria-current", "page")
    rows = visitor.get_by_role("table", name="Audit").locator("tbody tr")
    expect(rows.first).to_contain_text("session.begin")
    expect(rows.nth(1)).to_contain_text("job.edit")
    # The next page is loaded when the end of the list comes into sight.
    visitor.mouse.wheel(0, 100_000)
    expect(rows).to_have_count(_MANY + 2)
    assert visitor.evaluate("document.documentElement.scrollWidth") <= 1280
    assert violations(visitor) == []
    visitor.get_by_label("Who").fill("bob")
    visitor.get_by_label("Who").press("Enter")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("submitted: ")
    expect(visitor).to_have_url(re.compile("#/audit\\?actor=bob$"))
    visitor.reload()
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name="Its page").click()
    expect(visitor.locator(".job-head .identity")).to_contain_text(job)
    visitor.goto(f"{server.url}/#/audit?since=yesterday")
    expect(visitor.get_by_role("alert")).to_contain_text("ISO 8601")
    visitor.get_by_role("button", name="Clear").click()
    expect(rows.first).to_be_visible()


def test_who_is_no_admin_is_told_so_and_has_no_link(secrets: dict[str, str], visitor: Page) -> None:
    _log_in(visitor, secrets["bob"])
    expect(visitor.get_by_text("needs the role admin")).to_be_visible()
    site = visitor.get_by_role("navigation", name="Site")
    expect(site.get_by_role("link", name="Jobs")).to_be_visible()
    expect(site.get_by_role("link", name="Audit")).to_have_count(0)

"""The page behind the prefix of a proxy."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api_tests.support.fake_dashboard_server import DEADLINE_MS, FakeDashboardServer


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

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from api_tests.support.chromium import launch_chromium
from api_tests.support.dashboard_models import a_checkpoint, a_job
from api_tests.support.fake_dashboard_server import DEADLINE_MS, FakeDashboardServer
from api_tests.support.fake_server import free_port
from api_tests.support.server import Server
from api_tests.support.webhook_fixtures import receiver as receiver
from service.contract.checkpoints import Checkpoint
from service.contract.jobs import Job


@pytest.fixture(name="a_job")
def _a_job() -> Callable[..., Job]:
    return a_job


@pytest.fixture(name="a_checkpoint")
def _a_checkpoint() -> Callable[..., Checkpoint]:
    return a_checkpoint


@pytest.fixture
def ask_again(page: Page) -> Callable[[], None]:
    """Has the page poll at once, as a tab does that is looked at again."""
    return lambda: page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.fixture(scope="session")
def origin_port() -> int:
    """The port of every fake server: a browser keeps the page's files by their origin."""
    return free_port()


@pytest.fixture
def fake(origin_port: int) -> Iterator[FakeDashboardServer]:
    fake = FakeDashboardServer(port=origin_port)
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def console() -> list[str]:
    """Errors the page logged or threw; a test that expects some clears them when it has looked."""
    return []


@pytest.fixture(scope="session")
def tabs(browser: Browser, origin_port: int) -> Iterator[BrowserContext]:
    """Tabs that share nothing from test to test but the files of the page."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{origin_port}", viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(DEADLINE_MS)
    yield context
    context.close()


@pytest.fixture
def page(tabs: BrowserContext, fake: FakeDashboardServer, console: list[str]) -> Iterator[Page]:
    """A tab on the dashboard's origin; the test fails if the console heard an error."""
    page = tabs.new_page()
    page.on("console", lambda line: console.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: console.append(str(error)))
    yield page
    stored = {"origin": fake.url, "storageTypes": "cookies,local_storage,indexeddb"}
    tabs.new_cdp_session(page).send("Storage.clearDataForOrigin", stored)
    for each in tabs.pages:
        each.close()
    assert console == []


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server, for the tests of one file."""
    server = Server(Path(tmp_path_factory.mktemp("submit")))
    yield server
    server.stop()


@pytest.fixture
def tab(browser: Browser, own_server: Server) -> Iterator[Page]:
    """A tab on the page of the real server; the test fails if the page threw an error."""
    context = browser.new_context(base_url=own_server.url)
    context.set_default_timeout(DEADLINE_MS)
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []

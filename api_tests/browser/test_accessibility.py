"""axe finds nothing to mend on any page, in light, dark and on a telephone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.fake_dashboard_server import DASHBOARD, DEADLINE_MS
from api_tests.support.server import Server

AXE = DASHBOARD.parents[1] / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not there: `make node_modules/installed` brings it"
)
PATTERN = re.compile(r"\bpattern: \[(.*?)\]")
LAYOUTS: dict[str, Any] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": {"width": 375, "height": 812}},
}
VIOLATIONS = """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
    ({id, help, nodes}) => `${id}: ${help}: ${nodes.map(({html}) => html).join(" ")}`)"""
HOSTILE = "name" * 45 + " <b>\u202e"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, list[str]]:
    """By the first part of an address: jobs in several states, a checkpoint, a worker."""
    agent = FakeAgent(server)
    running = agent.submit(name="first run", labels={"team": "vision"})["id"]
    claim = agent.claim()
    checkpoint = agent.save(claim, 1)
    agent.log(claim, b"step 1\n")
    progress = {"phase": "train", "step": 2, "total_steps": 9, "metrics": {"loss": 0.5}}
    agent.beat(claim, ("progress", progress))
    failed = agent.submit(name=HOSTILE)["id"]
    agent.report(
        agent.claim(), outcome="failed", reason="invalid_data", message="a.png is no image"
    )
    queued = agent.submit()["id"]
    agent.http.close()
    jobs = [running, failed, queued, "job_that_is_not_there"]
    return {"jobs": jobs, "checkpoints": [checkpoint], "workers": [agent.id]}


@pytest.fixture(params=LAYOUTS)
def page(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        base_url=server.url, reduced_motion="reduce", **LAYOUTS[request.param]
    )
    context.set_default_timeout(DEADLINE_MS)
    context.add_init_script(path=AXE)
    yield context.new_page()
    context.close()


def _addresses(ids: dict[str, list[str]]) -> list[str]:
    """Every page of the table of pages, with each value of its parameters, and one that is none."""
    addresses = ["#/nowhere"]
    for pattern in PATTERN.findall((DASHBOARD / "pages" / "pages.js").read_text()):
        parts = re.findall(r'"(.*?)"', pattern)
        values = ids[parts[0]] if any(part.startswith(":") for part in parts) else [""]
        for value in values:
            path = "/".join(value if part.startswith(":") else part for part in parts)
            addresses.append(f"#/{path}")
    return addresses


def test_every_page_has_no_violation(page: Page, ids: dict[str, list[str]]) -> None:
    addresses = _addresses(ids)
    assert {"#/", "#/jobs", "#/workers", "#/nowhere"} <= set(addresses)
    page.goto("/")
    violations: dict[str, list[str]] = {}
    for address in addresses:
        page.goto(f"/{address}")
        expect(page.locator("main h1").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        violations[address] = page.evaluate(VIOLATIONS)
    assert {address: each for address, each in violations.items() if each} == {}


def test_the_login_has_no_violation(page: Page) -> None:
    stranger = {"object": "session", "needs_login": True, "user": None, "expires_at": None}
    page.route("**/session", lambda route: route.fulfill(json=stranger))
    page.goto("/")
    expect(page.get_by_role("dialog", name="Log in to Trainyard")).to_be_visible()
    assert page.evaluate(VIOLATIONS) == []

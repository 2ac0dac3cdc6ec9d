"""axe finds nothing to mend on any page, in light, dark and on a telephone."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api_tests.support.axe import AXE, violations
from api_tests.support.dashboard_models import an_evaluation
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.fake_dashboard_server import DASHBOARD, DEADLINE_MS
from api_tests.support.server import Server, wait_for
from service.contract.checkpoints import job_files_path
from service.volume.log_times import LogTimes

pytestmark = pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not there: `make node_modules/installed` brings it"
)
PATTERN = re.compile(r"\bpattern: \[(.*?)\]")
LAYOUTS: dict[str, Any] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": {"width": 375, "height": 812}},
}
HOSTILE = "name" * 45 + " <b>\u202e"
PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, list[str]]:
    """By the first part of an address: a job of each state, one of what else has a page."""
    agent = FakeAgent(server)
    running = agent.submit(name="first run", labels={"team": "vision"})["id"]
    claim = agent.claim()
    checkpoint = agent.save(claim, 1)
    agent.log(claim, b"step 1\n")
    LogTimes(agent.log_path(claim), lambda: datetime.now(UTC)).look()
    progress = {"phase": "train", "step": 2, "total_steps": 9, "metrics": {"loss": 0.5}}
    agent.beat(claim, ("progress", progress))
    failed = agent.submit(name=HOSTILE)["id"]
    claim = agent.claim()
    agent.log(claim, b"Traceback (most recent call last):\n")
    agent.report(claim, outcome="failed", reason="invalid_data", message="a.png is no image")
    retried = agent.http.post(f"/jobs/{failed}/retry", json={"from": "start"}).json()["id"]
    evaluated = _evaluate(server, agent, checkpoint)
    paused, cancelled = (agent.submit()["id"] for _ in range(2))
    agent.http.post(f"/jobs/{paused}/pause")
    agent.http.post(f"/jobs/{cancelled}/cancel", json={})
    sweep = agent.http.post("/sweeps", json=_a_sweep(agent)).json()["id"]
    wait_for(lambda: agent.http.get(f"/sweeps/{sweep}/trials").json()["data"] != [], "a trial")
    agent.http.close()
    jobs = [running, failed, retried, evaluated, paused, cancelled, "job_that_is_not_there"]
    others = {"checkpoints": [checkpoint], "workers": [agent.id], "sweeps": [sweep]}
    return {"jobs": jobs} | others


def _a_sweep(agent: FakeAgent) -> dict[str, Any]:
    parameters = {"batch_size": {"values": [16, 32]}}
    job = agent.spec(params={})
    return {"job": job, "parameters": parameters, "method": {"kind": "grid"}, "jobs_at_once": 1}


def _evaluate(server: Server, agent: FakeAgent, checkpoint: str) -> str:
    job = agent.submit(kind="eval", params={}, checkpoint={"id": checkpoint}, priority=9)
    claim = agent.claim()
    assert claim["job_id"] == job["id"]
    content = json.dumps(an_evaluation(PICTURE)).encode()
    folder = server.volume / job_files_path(job["id"], claim["attempt"])
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_bytes(content)
    digest = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    result = {"top1_error": 0.25, "files": {"evaluation.json": digest}}
    agent.report(claim, outcome="succeeded", reason="finished", result=result)
    return str(job["id"])


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
    first, second = ids["jobs"][:2]
    forms = [f"#/submit?from={first}", f"#/submit?from={first}&action=evaluate"]
    forms.append(f"#/submit?checkpoint={ids['checkpoints'][0]}&action=fine_tune")
    return [*addresses, f"#/compare?ids={first},{second}", *forms]


def test_every_page_has_no_violation(page: Page, ids: dict[str, list[str]]) -> None:
    addresses = _addresses(ids)
    assert {"#/", "#/jobs", "#/workers", "#/nowhere"} <= set(addresses)
    page.goto("/")
    found: dict[str, list[str]] = {}
    for address in addresses:
        page.goto(f"/{address}")
        expect(page.locator("main h1").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        found[address] = violations(page)
    assert {address: each for address, each in found.items() if each} == {}


def test_the_login_has_no_violation(page: Page) -> None:
    stranger = {"object": "session", "needs_login": True, "user": None, "expires_at": None}
    page.route("**/session", lambda route: route.fulfill(json=stranger))
    page.goto("/")
    expect(page.get_by_role("dialog", name="Log in to Trainyard")).to_be_visible()
    assert violations(page) == []


def test_the_list_of_keys_has_no_violation(page: Page, ids: dict[str, list[str]]) -> None:
    page.goto(f"/#/jobs/{ids['jobs'][0]}")
    expect(page.get_by_role("searchbox", name="Find in the log")).to_be_visible()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Find in the log")
    assert violations(page) == []

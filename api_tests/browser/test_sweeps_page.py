"""The pages of sweeps, of a real server whose jobs a fake agent makes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.axe import AXE, violations
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.server import Server, wait_for

_PARAMETERS = {
    "learning_rate": {"low": 0.001, "high": 1.0, "log": True},
    "batch_size": {"values": [16, 32, 64]},
    "precision": {"values": ["fp32", "bf16"]},
}
_ERRORS = (0.5, 0.125, 0.25)


@dataclass(frozen=True)
class Yard:
    """A server, its agent, and a sweep of five trials: three have ended, two are live."""

    agent: FakeAgent
    sweep: dict[str, Any]

    @property
    def path(self) -> str:
        """The sweep's place in the API, and in the page."""
        return f"/sweeps/{self.sweep['id']}"

    def trials(self) -> list[dict[str, Any]]:
        """Those that have begun."""
        found: list[dict[str, Any]] = self.agent.http.get(f"{self.path}/trials").json()["data"]
        return found


def _submit(agent: FakeAgent, **fields: Any) -> dict[str, Any]:
    body = {
        "name": "rates",
        "job": agent.spec(params={}),
        "parameters": _PARAMETERS,
        "method": {"kind": "random", "trials": 5, "seed": 1},
        "jobs_at_once": 2,
    }
    response = agent.http.post("/sweeps", json=body | fields)
    assert response.status_code == 201, response.text
    sweep: dict[str, Any] = response.json()
    return sweep


def _train(agent: FakeAgent, error: float) -> None:
    claim = agent.ask(wait_seconds=20).json()
    agent.beat(claim)
    agent.save(claim, 10, metrics={"top1_error": error})
    progress = {"phase": "train", "step": 10, "total_steps": 10, "metrics": {"loss": 0.5}}
    measured = {"step": 10, "metrics": {"top1_error": error}}
    agent.beat(claim, ("progress", progress), ("metrics", measured))
    agent.report(claim, outcome="succeeded", reason="finished")


@pytest.fixture(scope="module")
def yard(own_server: Server) -> Iterator[Yard]:
    with FakeAgent(own_server) as agent:
        yard = Yard(agent, _submit(agent))
        for error in _ERRORS:
            _train(agent, error)
        wait_for(lambda: len(yard.trials()) == 5, "the last trials")
        yield yard


def _rows(tab: Page) -> Any:
    return tab.get_by_role("table", name="Trials").locator("tbody tr")


def test_without_sweeps_the_list_says_how_to_make_one(own_server: Server, tab: Page) -> None:
    if own_server.http.get("/sweeps").json()["data"]:
        pytest.skip("another test was first to make one")
    tab.goto("/#/sweeps")
    expect(tab.get_by_text("trainyard sweep create -f")).to_be_visible()
    expect(tab.get_by_role("link", name="How it works")).to_have_attribute("href", "guide/sweeps/")


def test_the_list_has_the_best_and_how_far_it_is(yard: Yard, tab: Page) -> None:
    tab.goto("/#/jobs")
    tab.get_by_role("navigation", name="Site").get_by_role("link", name="Sweeps").click()
    row = tab.get_by_role("table", name="Sweeps").locator("tbody tr").filter(has_text="rates")
    for text in ("running", "random", "3 of 5 trials", "12.50 %", "learning_rate 0.", "30"):
        expect(row).to_contain_text(text)
    expect(row.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "60")
    row.get_by_role("link").click()
    expect(tab).to_have_url(re.compile(f"#{yard.path}$"))
    expect(tab.get_by_role("heading", name="rates", level=1)).to_be_visible()


def test_the_best_links_to_its_job_and_the_job_to_its_sweep(yard: Yard, tab: Page) -> None:
    best = yard.agent.http.get(yard.path).json()["best"]
    assert best["value"] == 0.125
    tab.goto(f"/#{yard.path}")
    figures = tab.locator(".figures")
    assert best["checkpoint_id"]
    saved = figures.locator(f'a[href="#/checkpoints/{best["checkpoint_id"]}"]')
    expect(saved).to_be_visible()
    figures.get_by_role("link", name="12.50 %").click()
    expect(tab.locator(".job-head .identity")).to_contain_text(best["job_id"])
    label = f"sweep: {yard.sweep['id']}"
    tab.get_by_role("list", name="Labels").get_by_role("link", name=label).click()
    expect(tab).to_have_url(re.compile(f"#{yard.path}$"))


def test_the_table_is_sorted_by_value_and_by_number(yard: Yard, tab: Page) -> None:
    tab.goto(f"/#{yard.path}")
    expect(_rows(tab)).to_have_count(5)
    assert [row.split()[0] for row in _rows(tab).all_inner_texts()] == list("12345")
    value = tab.get_by_role("columnheader", name="Top-1 error")
    value.get_by_role("button").click()
    expect(value).to_have_attribute("aria-sort", "ascending")
    expect(_rows(tab).first).to_contain_text("12.50 %")
    value.get_by_role("button").click()
    expect(_rows(tab).first).to_contain_text("50.00 %")
    expect(tab).to_have_url(re.compile(r"sort=-value$"))
    expect(_rows(tab).last).not_to_contain_text("%")


def test_the_arrow_keys_go_from_line_to_line_and_enter_opens_the_job(yard: Yard, tab: Page) -> None:
    trials = yard.trials()
    tab.goto(f"/#{yard.path}")
    expect(tab.locator(".trial-lines [data-trial]")).to_have_count(5)
    expect(tab.locator(".trial-lines .best")).to_have_count(1)
    lines = tab.get_by_role("slider", name="Parameters and value")
    lines.press("Home")
    lines.press("ArrowRight")
    expect(lines).to_have_attribute("aria-valuetext", re.compile("^Trial 2"))
    expect(tab.locator(".trial-name")).to_contain_text("Trial 2")
    expect(tab.locator(".trial-lines .picked")).to_have_count(1)
    lines.press("Enter")
    expect(tab).to_have_url(re.compile(f"#/jobs/{trials[1]['job_id']}$"))


def test_a_line_under_the_pointer_names_its_trial(yard: Yard, tab: Page) -> None:
    tab.goto(f"/#{yard.path}")
    # A point of the line that no other crosses: it begins there.
    begin = """(line) => {
      const point = line.points[0].matrixTransform(line.getScreenCTM());
      return [point.x + 1, point.y];
    }"""
    line = tab.locator('.trial-lines [data-trial="5"] .reach')
    line.scroll_into_view_if_needed()
    tab.mouse.move(*line.evaluate(begin))
    expect(tab.locator(".trial-name")).to_contain_text("Trial 5:")
    expect(tab.locator(".trial-name")).to_contain_text("no value yet")


def test_what_happens_is_drawn_without_a_reload(yard: Yard, tab: Page) -> None:
    sweep = _submit(yard.agent, name="watched", jobs_at_once=1)
    tab.goto(f"/#/sweeps/{sweep['id']}")
    expect(_rows(tab)).to_have_count(1)
    yard.agent.http.post(f"/sweeps/{sweep['id']}/pause")
    expect(tab.locator(".job-head .badge")).to_have_text("paused")
    yard.agent.http.post(f"/sweeps/{sweep['id']}/cancel")
    expect(tab.locator(".job-head .badge")).to_have_text("cancelled")


def test_a_sweep_is_paused_resumed_cancelled_and_deleted(yard: Yard, tab: Page) -> None:
    sweep = _submit(yard.agent, name="steered", jobs_at_once=1)
    tab.goto(f"/#/sweeps/{sweep['id']}")
    state = tab.locator(".job-head .badge")
    tab.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("paused")
    tab.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("running")
    tab.get_by_role("button", name="Cancel…").click()
    tab.get_by_role("button", name="Keep it").click()
    expect(state).to_have_text("running")
    tab.get_by_role("button", name="Cancel…").click()
    tab.get_by_role("button", name="Cancel the sweep").click()
    expect(state).to_have_text("cancelled")
    expect(tab.get_by_text("cancelled by a user")).to_be_visible()
    tab.get_by_role("button", name="Delete…").click()
    tab.get_by_role("button", name="Delete the sweep").click()
    expect(tab).to_have_url(re.compile("#/sweeps$"))
    assert yard.agent.http.get(f"/sweeps/{sweep['id']}").status_code == 404


def test_an_id_that_is_no_sweep_is_told(tab: Page) -> None:
    tab.goto("/#/sweeps/swp_nothing")
    expect(tab.get_by_text("There is no sweep swp_nothing.")).to_be_visible()


def test_the_list_loads_more_at_its_end(yard: Yard, tab: Page) -> None:
    paused = [_submit(yard.agent, name=f"more {number}") for number in range(21)]
    tab.goto("/#/sweeps")
    rows = tab.get_by_role("table", name="Sweeps").locator("tbody tr")
    expect(rows.filter(has_text="more 20")).to_have_count(1)
    tab.mouse.wheel(0, 100_000)
    expect(rows.filter(has_text="rates")).to_have_count(1)
    for sweep in paused:
        yard.agent.http.post(f"/sweeps/{sweep['id']}/cancel")


@pytest.mark.skipif(not AXE.is_file(), reason="`make node_modules/installed` brings axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_both_pages_have_no_violation_and_fit(
    yard: Yard, tab: Page, scheme: Any, width: int
) -> None:
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.set_viewport_size({"width": width, "height": 900})
    for address in ("/#/sweeps", f"/#{yard.path}"):
        tab.goto(address)
        expect(tab.get_by_role("table").locator("tbody tr").first).to_be_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(tab) == []

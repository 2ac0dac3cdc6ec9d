"""What is submitted from a search and a supernet: a path to train, a supernet to search."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.axe import AXE, violations
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.search_calls import begin, tell, trained_supernet
from api_tests.support.search_page import MANY, agent, candidate, claim, opened, rows_of

__all__ = ["agent", "claim", "opened"]


def test_any_candidate_is_trained_from_the_table_and_names_the_search(
    opened: Page, claim: dict[str, Any], agent: FakeAgent
) -> None:
    rows_of(opened).nth(3).get_by_role("link", name="Train this").click()
    path = candidate(MANY - 4)["blocks"]
    expect(opened.get_by_role("heading", level=1)).to_contain_text("Train a path of")
    expect(opened.get_by_label("Recipe")).to_have_value("oneshot")
    expect(opened.get_by_label("Blocks")).to_have_value(path)
    expect(opened.get_by_label("Data set")).to_have_value("digits")
    # Only of the best path are there weights, once the search has ended.
    weights = opened.get_by_label("Weights")
    expect(weights.locator("option", has_text="What the search left")).to_have_count(0)
    expect(opened.get_by_text("Nothing is wrong with it.")).to_be_visible()
    opened.get_by_role("button", name="Submit").click()
    opened.wait_for_url(lambda url: "/jobs/" in url)
    job = agent.http.get(f"/jobs/{opened.url.rpartition('/')[2]}").json()
    assert (job["variant"], job["spec"]["search"]) == (f"b{path}", claim["job_id"])
    assert job["spec"]["init_from"] is None
    origins = opened.locator(".origins")
    expect(origins).to_contain_text("Found by")
    expect(origins).not_to_contain_text("Retry")
    origins.get_by_role("link").click()
    descendants = opened.get_by_role("table", name="Jobs that came of it")
    expect(descendants.locator("tbody tr").first).to_contain_text("training of a path")


def test_another_path_than_the_candidate_is_no_longer_of_the_search(opened: Page) -> None:
    opened.locator(".search-best").get_by_role("link", name="Train this").click()
    found_by = opened.get_by_text("as long as the variant is its")
    expect(found_by).to_be_visible()
    opened.get_by_label("Blocks").fill("2" * 20)
    expect(found_by).to_have_count(0)
    expect(opened.get_by_text("Nothing is wrong with it.")).to_be_visible()


def test_the_best_of_an_ended_search_can_start_from_what_it_left(
    agent: FakeAgent, tab: Page
) -> None:
    ended = begin(agent)
    best = candidate(1)
    tell(agent, ended, candidate(0), best)
    network = {"recipe": "oneshot", "variant": f"b{best['blocks']}"}
    checkpoint = agent.save(ended, 2, phase="final", **network)
    agent.report(ended, result={"best": best, "checkpoint_id": checkpoint, "evaluated": 2})
    tab.goto(f"/#/jobs/{ended['job_id']}")
    panel = tab.locator(".search-best")
    expect(panel.locator(f'a[href="#/checkpoints/{checkpoint}"]')).to_be_visible()
    expect(tab.locator(".result")).not_to_contain_text("blocks")
    uses = tab.locator(".job-actions")
    expect(uses.get_by_role("link", name="Evaluate…")).to_be_visible()
    expect(uses.get_by_role("link", name="Search this supernet…")).to_have_count(0)
    panel.get_by_role("link", name="Train this").click()
    weights = tab.get_by_label("Weights")
    expect(weights).to_have_value("")
    weights.select_option("What the search left of this path")
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
    tab.get_by_role("button", name="Submit").click()
    tab.wait_for_url(lambda url: "/jobs/" in url and ended["job_id"] not in url)
    job = agent.http.get(f"/jobs/{tab.url.rpartition('/')[2]}").json()
    assert (job["variant"], job["spec"]["init_from"]["id"]) == (network["variant"], checkpoint)


def test_a_supernet_is_searched_from_its_checkpoint_and_wrong_limits_are_told_at_their_field(
    agent: FakeAgent, tab: Page
) -> None:
    tab.goto(f"/#/checkpoints/{trained_supernet(agent)}")
    tab.get_by_role("link", name="Search this supernet…").click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Search: ")
    expect(
        tab.get_by_text(re.compile(r"2[01] generations of 50: 1,0[05]0 candidates"))
    ).to_be_visible()
    limit = tab.get_by_label("macs_limit", exact=True)
    limit.fill("1000")
    expect(limit).to_have_attribute("aria-invalid", "true")
    expect(limit).to_have_accessible_description(re.compile("use 269,345,600 or more"))
    limit.fill("330000000")
    expect(tab.get_by_label("at_once", exact=True)).to_be_hidden()
    tab.get_by_text("more parameters").click()
    tab.get_by_label("at_once", exact=True).fill("4")
    tab.get_by_label("generations", exact=True).fill("3")
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
    tab.get_by_role("button", name="Submit").click()
    expect(tab.locator(".job-progress")).to_contain_text("0 of 150 candidates")
    tab.get_by_role("link", name="Clone and edit").click()
    expect(tab.get_by_label("generations", exact=True)).to_have_value("3")
    expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()


@pytest.mark.skipif(not AXE.is_file(), reason="`make node_modules/installed` brings axe-core")
@pytest.mark.parametrize("width", [375, 1280])
def test_the_forms_of_a_path_and_of_a_search_have_no_violation_and_fit(
    claim: dict[str, Any], tab: Page, width: int
) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    path = candidate(0)["blocks"]
    supernet = claim["spec"]["checkpoint"]["id"]
    train = f"/#/submit?from={claim['job_id']}&path={path}"
    for address in (train, f"/#/submit?checkpoint={supernet}&action=search"):
        tab.goto(address)
        expect(tab.get_by_text("Nothing is wrong with it.")).to_be_visible()
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(tab) == []

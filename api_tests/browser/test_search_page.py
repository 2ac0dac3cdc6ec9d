"""The page of a search, of a real server whose candidates a fake agent tells of."""

import re
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.axe import AXE, violations
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.search_calls import begin, submit_search, tell, trained_supernet
from api_tests.support.search_page import MANY, agent, candidate, claim, opened, rows_of

__all__ = ["agent", "claim", "opened"]


def _orders(tab: Page) -> list[int]:
    return [int(text.split()[0]) for text in rows_of(tab).locator("td.nth").all_inner_texts()]


def _named(tab: Page, order: int) -> None:
    """The line below the drawing is of this candidate."""
    line = tab.locator(".named .candidate-line")
    expect(line).to_have_attribute("data-candidate", candidate(order)["blocks"])


def test_before_the_first_candidate_the_page_says_so(agent: FakeAgent, tab: Page) -> None:
    job = submit_search(agent, trained_supernet(agent))
    tab.goto(f"/#/jobs/{job['id']}")
    for text in ("the first appear when a worker has evaluated them", "No parents yet."):
        expect(tab.get_by_text(text)).to_be_visible()
    expect(tab.locator(".candidates")).to_contain_text("No candidate is measured yet.")
    expect(tab.locator(".search-scatter")).to_contain_text("No candidate is measured yet")
    expect(tab.locator(".job-progress")).to_contain_text("0 of 6 candidates")
    expect(tab.locator(".search-figures")).to_contain_text("5.51 to 8.12 M")
    agent.http.post(f"/jobs/{job['id']}/cancel", json={})


def test_what_is_measured_is_drawn_without_a_reload(agent: FakeAgent, tab: Page) -> None:
    live = begin(agent)
    tab.goto(f"/#/jobs/{live['job_id']}")
    expect(tab.get_by_text("No parents yet.")).to_be_visible()
    tell(agent, live, candidate(0), candidate(1))
    expect(rows_of(tab)).to_have_count(2)
    figures = tab.locator(".search-figures")
    for text in ("2 of 6", "1 of 2", "33.33 %", "5.587 M", "8.124 M"):
        expect(figures).to_contain_text(text)
    expect(tab.locator(".drawing .front-dot")).to_have_count(2)
    expect(tab.get_by_text("How many of 2 parents have")).to_be_visible()
    tell(agent, live, candidate(2), candidate(3))
    expect(rows_of(tab)).to_have_count(4)
    expect(tab.locator(".drawing [data-generation]")).to_have_count(2)
    expect(tab.locator(".search-best code")).to_have_text(candidate(3)["blocks"])
    agent.report(live, outcome="failed", reason="invalid_data")
    expect(tab.locator(".job-head .badge")).to_have_text("failed")


def test_the_table_is_sorted_by_its_heads_and_has_pages(opened: Page) -> None:
    assert _orders(opened) == list(range(MANY, MANY - 25, -1))
    expect(rows_of(opened).first).to_contain_text("best")
    pages = opened.get_by_role("navigation", name="Pages of candidates")
    expect(pages).to_contain_text("1 to 25 of 30")
    pages.get_by_role("button", name="Next").click()
    expect(rows_of(opened)).to_have_count(5)
    expect(opened).to_have_url(re.compile(r"page=2$"))
    size = opened.get_by_role("columnheader", name="Multiply-adds")
    size.get_by_role("button").click()
    expect(size).to_have_attribute("aria-sort", "ascending")
    expect(rows_of(opened)).to_have_count(25)
    assert _orders(opened) == list(range(1, 26))
    size.get_by_role("button").click()
    expect(opened).to_have_url(re.compile(r"sort=-multiply_adds$"))
    assert _orders(opened)[0] == MANY


def test_the_arrow_keys_go_along_the_front(opened: Page) -> None:
    _named(opened, MANY - 1)
    front = opened.get_by_role("slider", name="Top-1 error and multiply-adds")
    front.press("ArrowLeft")
    _named(opened, MANY - 2)
    front.press("Home")
    _named(opened, 0)
    text = re.compile(r"^50\.00 % with 5\.507 M multiply-adds, generation 1: path 3333 3333 ")
    expect(front).to_have_attribute("aria-valuetext", text)
    expect(front).to_have_attribute("aria-valuemax", str(MANY))


def test_the_pointer_names_a_candidate_and_a_click_keeps_it(opened: Page) -> None:
    dots = opened.locator(".drawing .front-dot")
    expect(dots).to_have_count(MANY)
    dots.nth(3).scroll_into_view_if_needed()
    dots.nth(3).hover(force=True)
    _named(opened, 3)
    opened.locator(".job-head h1").hover()
    _named(opened, MANY - 1)
    dots.nth(5).click(force=True)
    opened.locator(".job-head h1").hover()
    _named(opened, 5)


def test_the_parents_are_counted_by_place_and_choice(opened: Page) -> None:
    stage = opened.get_by_role("table", name="Stage 4, places 17 to 20")
    expect(stage.get_by_role("columnheader")).to_have_text(["17", "18", "19", "20"])
    # The two best are 28 and 29: 130 and 131 in base 4.
    expect(stage.get_by_title("Place 20, kernel 3: 1 of 2")).to_have_text("1")
    expect(stage.get_by_title("Place 19, xception: 2 of 2")).to_have_text("2")
    expect(stage.get_by_title("Place 19, kernel 3: 0 of 2")).to_be_empty()


def test_the_candidates_are_a_table_and_a_picture_to_download(opened: Page) -> None:
    with opened.expect_download() as download:
        opened.get_by_role("link", name="Candidates as CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert len(rows) == MANY + 1
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Candidates as SVG").click()
    drawing = ElementTree.parse(download.value.path()).getroot()
    assert download.value.suggested_filename == "candidates.svg"
    text = ElementTree.tostring(drawing, "unicode")
    assert "multiply-adds of an image of 32 px" in text
    # The sheets of the page do not come with it.
    assert "class=" not in text
    assert "var(" not in text
    assert "oklab(" not in text


@pytest.mark.skipif(not AXE.is_file(), reason="`make node_modules/installed` brings axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_has_no_violation_and_fits(
    claim: dict[str, Any], tab: Page, scheme: Any, width: int
) -> None:
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(f"/#/jobs/{claim['job_id']}")
    expect(rows_of(tab)).to_have_count(25)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(tab) == []


def test_the_paths_that_a_search_was_given_are_shown_when_the_submission_is_opened(
    agent: FakeAgent, tab: Page
) -> None:
    paths = [candidate(order)["blocks"] for order in range(5)]
    job = submit_search(agent, trained_supernet(agent), candidates=paths)
    tab.goto(f"/#/jobs/{job['id']}")
    expect(tab.locator(".search-figures")).to_contain_text("0 of 5")
    # Given paths are of no generation, which is known without reading them.
    expect(tab.locator(".charts").get_by_text("by generation")).to_have_count(0)
    tab.get_by_text("Submission", exact=True).click()
    expect(tab.get_by_label("Submission")).to_contain_text(paths[4])
    agent.http.post(f"/jobs/{job['id']}/cancel", json={})


def test_the_page_of_a_search_by_several_workers_leads_to_its_parts(
    agent: FakeAgent, tab: Page
) -> None:
    job = submit_search(agent, trained_supernet(agent), workers=2)
    tab.goto(f"/#/jobs/{job['id']}")
    link = tab.get_by_role("link", name="2, the jobs of its parts")
    expect(link).to_have_attribute("href", re.compile(f"label=part_of(:|%3A){job['id']}"))
    agent.http.post(f"/jobs/{job['id']}/cancel", json={})

"""What the page of a search draws: its generations, the limit, and the cells of the best path."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from api_tests.support.chart_page import chart, picture_of, plot_of
from api_tests.support.fake_agent import FakeAgent
from api_tests.support.search_calls import begin, tell
from api_tests.support.searches import LEAST, a_candidate
from api_tests.support.server import Server

TITLE = "Top-1 error by generation"
LIMIT = LEAST + 1_500_000
STAGES = (4, 4, 8, 4)
MARKS = "357x"
_COLUMNS = """canvas => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const [blue, orange] = [new Set(), new Set()];
  for (let at = 0; at < data.length; at += 4) {
    const column = (at / 4) % width;
    if (data[at + 2] - data[at] > 60) blue.add(column);
    if (data[at] - data[at + 2] > 60) orange.add(column);
  }
  return [blue.size / width, orange.size / width];
}"""
"""The shares of the columns that have something of the first line's colour, and of the second's."""


@pytest.fixture(scope="module")
def agent(own_server: Server) -> Iterator[FakeAgent]:
    agent = FakeAgent(own_server)
    yield agent
    agent.http.close()


@pytest.fixture(scope="module")
def search(agent: FakeAgent) -> dict[str, Any]:
    """A search of three generations, of which two are evaluated."""
    claim = begin(agent, generations=3, macs_limit=LIMIT)
    errors = (0.5, 0.4, 0.6, 0.3, 0.2, 0.35)
    found = (
        a_candidate(order, top1_error=error, multiply_adds=LEAST + 100_000 * order)
        for order, error in enumerate(errors)
    )
    tell(agent, claim, *found)
    return claim


@pytest.fixture
def opened(tab: Page, search: dict[str, Any]) -> Page:
    tab.emulate_media(color_scheme="light", reduced_motion="reduce")
    tab.goto(f"/#/jobs/{search['job_id']}")
    expect(tab.locator(".drawing .front-dot")).to_have_count(4)
    return tab


def test_best_and_median_of_the_generations_are_two_lines_of_a_chart(opened: Page) -> None:
    name = f"{TITLE} at generation 2: best 20.00 %, median 30.00 %"
    expect(plot_of(opened, TITLE)).to_have_attribute("aria-label", name)
    expect(chart(opened, TITLE).locator("[data-series]")).to_have_count(2)
    picture_of(opened, TITLE)
    shares = chart(opened, TITLE).locator("canvas").evaluate(_COLUMNS)
    # The axis has room for a third generation.
    assert all(0.35 < share < 0.6 for share in shares), shares


def test_the_limit_is_a_line_of_the_drawing_beyond_all_candidates(opened: Page) -> None:
    line = opened.locator(".drawing .limit line")
    expect(line).to_have_count(1)
    x1, x2 = (float(line.get_attribute(name) or 0) for name in ("x1", "x2"))
    height = abs(float(line.get_attribute("y2") or 0) - float(line.get_attribute("y1") or 0))
    dots = opened.locator(".drawing .front-dot")
    last = max(float(dots.nth(number).get_attribute("cx") or 0) for number in range(4))
    assert x1 == x2 > last + 100
    assert height > 200
    expect(opened.locator(".drawing .limit text")).to_have_text("limit")
    expect(opened.locator(".scatter-key [data-key='limit']")).to_have_text("limit of 7.007 M")


def test_the_best_path_is_a_strip_of_a_cell_for_each_place_apart_by_stages(opened: Page) -> None:
    blocks = a_candidate(4)["blocks"]
    expect(opened.locator(".search-best code")).to_have_text(blocks)
    strip = opened.locator(".search-best .strip")
    expect(strip.locator("i")).to_have_text([MARKS[int(digit)] for digit in blocks])
    cells = strip.locator("i").evaluate_all("cells => cells.map((cell) => cell.dataset.choice)")
    assert "".join(cells) == blocks
    stages = strip.locator(":scope > span")
    expect(stages).to_have_count(len(STAGES))
    for number, places in enumerate(STAGES):
        expect(stages.nth(number).locator("i")).to_have_count(places)
    label = re.compile("^Path " + " ".join(f"[{MARKS}]{{{places}}}" for places in STAGES) + "$")
    expect(strip).to_have_attribute("aria-label", label)

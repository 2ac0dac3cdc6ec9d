"""The page of a search in a browser: a search of a real server, and where its candidates are."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.search_calls import begin, tell
from api_tests.support.searches import LEAST, a_candidate
from api_tests.support.server import Server

MANY = 30
"""How many candidates the search has measured."""


def candidate(order: int, **fields: Any) -> dict[str, Any]:
    """Each is larger and better than the one before, and so on the front."""
    return a_candidate(order, multiply_adds=LEAST + 80_000 * order, **fields)


@pytest.fixture(scope="module")
def agent(own_server: Server) -> Iterator[FakeAgent]:
    with FakeAgent(own_server) as agent:
        yield agent


@pytest.fixture(scope="module")
def claim(agent: FakeAgent) -> dict[str, Any]:
    """A search that has measured half of its candidates."""
    claim = begin(agent, generations=20)
    tell(agent, claim, *map(candidate, range(MANY)))
    progress = {"phase": "search", "step": MANY, "total_steps": 60, "metrics": {}}
    agent.beat(claim, ("progress", progress))
    return claim


@pytest.fixture
def opened(tab: Page, claim: dict[str, Any]) -> Page:
    """A tab on the page of that search."""
    tab.goto(f"/#/jobs/{claim['job_id']}")
    expect(rows_of(tab)).to_have_count(25)
    return tab


def rows_of(tab: Page) -> Locator:
    """The rows of the table of candidates."""
    return tab.get_by_role("table", name="Candidates", exact=True).locator("tbody tr")

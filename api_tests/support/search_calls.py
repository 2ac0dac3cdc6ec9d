"""Searches over HTTP, by a worker that a test plays."""

from typing import Any

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.searches import PARAMS, SMALL, SUPERNET, searching_catalog


def trained_supernet(agent: FakeAgent) -> str:
    """The id of a supernet's checkpoint, whose training has ended."""
    catalog = searching_catalog().model_dump(mode="json")
    assert agent.http.put(f"/agent/workers/{agent.id}/catalog", json=catalog).is_success
    agent.submit(**SUPERNET)
    claim = agent.claim()
    checkpoint = agent.save(claim, 1, **SUPERNET)
    agent.report(claim)
    return checkpoint


def begin(agent: FakeAgent, **params: Any) -> dict[str, Any]:
    """The claim of a search, whose supernet was trained before."""
    checkpoint = {"id": trained_supernet(agent)}
    search = {"kind": "search", "checkpoint": checkpoint, "params": PARAMS | SMALL | params}
    body = {name: value for name, value in agent.spec(**search).items() if name != "recipe"}
    answer = agent.http.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return agent.claim()


def tell(agent: FakeAgent, claim: dict[str, Any], *candidates: dict[str, Any]) -> None:
    """The event by which a worker tells what it has measured."""
    agent.beat(claim, ("candidates", {"candidates": list(candidates)}))

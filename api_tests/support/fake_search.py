"""Searches that a fake agent runs: the supernet before it, and the candidates that it tells of."""

from typing import Any

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.searches import PARAMS, SMALL, SUPERNET, searching_catalog

_FIRST = 9
"""Before the jobs that any worker may take."""


def a_supernet(agent: FakeAgent) -> str:
    """A checkpoint of a supernet that the agent has trained; it can search it, too."""
    catalog = searching_catalog().model_dump(mode="json")
    assert agent.http.put(f"/agent/workers/{agent.id}/catalog", json=catalog).is_success
    agent.submit(**SUPERNET, priority=_FIRST)
    claim = agent.claim()
    checkpoint = agent.save(claim, 1, **SUPERNET)
    agent.report(claim)
    return checkpoint


def submit_search(agent: FakeAgent, checkpoint: str, **params: Any) -> dict[str, Any]:
    """A search of a supernet's checkpoint."""
    all_params = PARAMS | SMALL | params
    search = {
        "kind": "search",
        "checkpoint": {"id": checkpoint},
        "params": all_params,
        "priority": _FIRST,
    }
    body = {name: value for name, value in agent.spec(**search).items() if name != "recipe"}
    answer = agent.http.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


def begin(agent: FakeAgent, **params: Any) -> dict[str, Any]:
    """The claim of a search, whose supernet was trained before."""
    submit_search(agent, a_supernet(agent), **params)
    return agent.claim()


def tell(agent: FakeAgent, claim: dict[str, Any], *candidates: dict[str, Any]) -> None:
    """The claim's attempt has measured these candidates."""
    agent.beat(claim, ("candidates", {"candidates": list(candidates)}))

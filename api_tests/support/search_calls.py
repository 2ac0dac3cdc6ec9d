"""Searches over HTTP, by a worker that a test plays."""

import hashlib
from collections.abc import Mapping
from typing import Any

from api_tests.support.fake_agent import FakeAgent
from api_tests.support.searches import PARAMS, SMALL, SUPERNET, searching_catalog
from service.contract.checkpoints import job_files_path

_FIRST = 9
"""The priority: before the jobs that any worker may take."""


def trained_supernet(agent: FakeAgent) -> str:
    """The id of a supernet's checkpoint, whose training has ended."""
    catalog = searching_catalog().model_dump(mode="json")
    assert agent.http.put(f"/agent/workers/{agent.id}/catalog", json=catalog).is_success
    agent.submit(**SUPERNET, priority=_FIRST)
    claim = agent.claim()
    checkpoint = agent.save(claim, 1, **SUPERNET)
    agent.report(claim)
    return checkpoint


def submit_search(agent: FakeAgent, checkpoint: str, **params: Any) -> dict[str, Any]:
    """A search of a supernet's checkpoint, as a job."""
    named = {"kind": "search", "checkpoint": {"id": checkpoint}, "priority": _FIRST}
    search = named | {"params": PARAMS | SMALL | params}
    body = {name: value for name, value in agent.spec(**search).items() if name != "recipe"}
    answer = agent.http.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    return job


def begin(agent: FakeAgent, **params: Any) -> dict[str, Any]:
    """The claim of a search, whose supernet was trained before."""
    submit_search(agent, trained_supernet(agent), **params)
    return agent.claim()


def tell(agent: FakeAgent, claim: dict[str, Any], *candidates: dict[str, Any]) -> None:
    """The event by which a worker tells what it has measured."""
    agent.beat(claim, ("candidates", {"candidates": list(candidates)}))


def leave(agent: FakeAgent, claim: dict[str, Any], files: Mapping[str, bytes]) -> None:
    """The end of a search that leaves these files."""
    folder = agent.volume / job_files_path(claim["job_id"], claim["attempt"])
    folder.mkdir(parents=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    digests = {
        name: {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for name, body in files.items()
    }
    agent.report(claim, result={"files": digests}).raise_for_status()

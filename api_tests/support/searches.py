"""Searches of a supernet that has a checkpoint, and what their workers tell."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import ReportedEvent
from service.contract.catalog import Catalog, builtin_catalog
from service.contract.jobs import Job
from service.contract.submissions import Submission
from service.control.jobs.submission import submit
from service.control.scheduling import catalogs
from service.domain.errors import Unprocessable

SUPERNET = {"recipe": "supernet", "variant": "oneshot"}
PARAMS = {"generations": 2, "population": 3, "parents": 2, "mutations": 1, "crossovers": 1}
LEAST, MOST = 5_506_880, 8_124_224
"""The multiply-adds that a path can have, at 32 px and for ten classes."""
SMALL = {"macs_image_size": 32, "macs_limit": MOST}


def searching_catalog() -> Catalog:
    """That of a worker that searches."""
    catalog = builtin_catalog()
    assert "search" in catalog.kinds
    return catalog


def offer_searches(control_plane: ControlPlane, agent: Agent) -> None:
    """The agent sends the catalog of a worker that searches."""
    with control_plane.write() as tx:
        catalogs.put(tx, agent.id, searching_catalog(), control_plane.now)


def a_supernet(control_plane: ControlPlane, agent: Agent, **fields: Any) -> Job:
    """A training of a supernet, which has ended with one checkpoint of `num_classes`."""
    offer_searches(control_plane, agent)
    classes = fields.pop("num_classes", 10)
    names = {"num_classes": classes, "class_names": [str(number) for number in range(classes)]}
    network = {name: fields.get(name, SUPERNET[name]) for name in SUPERNET}
    job = control_plane.submit(**SUPERNET | fields)
    claim = agent.claimed()
    saved = published_body(a_manifest(job.id, 10, **network, **names))
    agent.beat(claim, an_event(1, "checkpoint", **saved))
    agent.report(claim)
    return job


def a_search(source: Job, **fields: Any) -> dict[str, Any]:
    """The body of a search of its latest checkpoint; `params` are further ones."""
    params = PARAMS | SMALL | fields.pop("params", {})
    body = {"kind": "search", "checkpoint": {"job": source.id}, "data": {"dataset": "digits"}}
    return body | {"params": params} | fields


def submitted(control_plane: ControlPlane, body: dict[str, Any]) -> Job:
    """The job of a submission."""
    spec = Submission.model_validate(body).root
    with control_plane.write() as tx:
        job_id = control_plane.new_job_id()
        result = submit(tx, spec, job_id=job_id, key=None, now=control_plane.now)
    return control_plane.job_of(result)


def blocks_of(number: int) -> str:
    """A path of 20 places that no other number has."""
    digits = ""
    for _ in range(20):
        digits, number = f"{number % 4}{digits}", number // 4
    return digits


def a_candidate(order: int, **fields: Any) -> dict[str, Any]:
    """A candidate as its worker tells of it; better than each before."""
    error = 1 / (order + 2)
    values = {
        "blocks": blocks_of(order),
        "order": order,
        "generation": order // 3 + 1,
        "origin": "random",
        "multiply_adds": 6_100_000 + order,
        "top1_error": error,
        "top5_error": error / 2,
        "loss": 2 * error,
    }
    return values | fields


def found(seq: int, *candidates: dict[str, Any]) -> ReportedEvent:
    """The event that tells of some candidates."""
    return an_event(seq, "candidates", candidates=list(candidates))


def best_path(job: Job, attempt: int = 1, **fields: Any) -> dict[str, Any]:
    """The body of the event by which a search publishes the network of its best path."""
    network = {"recipe": "oneshot", "variant": f"b{blocks_of(0)}", "phase": "final"}
    return published_body(a_manifest(job.id, 6, attempt=attempt, **(network | fields)))


def refusal(control_plane: ControlPlane, body: dict[str, Any]) -> tuple[str, str]:
    """The pointer and the message with which a submission is refused."""
    with pytest.raises(Unprocessable) as refused:
        submitted(control_plane, body)
    return refused.value.pointer, refused.value.message

"""Jobs that are a source: they have published checkpoints that others may start from."""

from typing import Any

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job


def an_eval(source: Job) -> dict[str, Any]:
    """The fields of an eval of its latest checkpoint."""
    return {"kind": "eval", "checkpoint": {"job": source.id}}


def trained(
    control_plane: ControlPlane, agent: Agent, errors: tuple[float, ...] = (0.5,), **network: str
) -> Job:
    """A running job with a checkpoint for each error."""
    job = control_plane.submit(**network)
    events = [
        an_event(
            seq,
            "checkpoint",
            **published_body(
                a_manifest(job.id, 10 * seq, metrics={"top1_error": error}, **network)
            ),
        )
        for seq, error in enumerate(errors, start=1)
    ]
    claim = agent.claimed()
    agent.beat(claim, *events)
    return job

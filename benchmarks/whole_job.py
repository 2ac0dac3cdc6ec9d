"""Jobs from their submission to their end, by the use cases: what a training of an hour leaves."""

from datetime import UTC, datetime
from itertools import count

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import ReportedEvent
from service.contract.checkpoints import Manifest
from service.contract.jobs import Job
from service.store.engine import Database

SERIES = ("loss", "top1_error", "learning_rate")
_FILES = ("model.safetensors", "optimizer.safetensors", "state.json")
_DIGEST = {"bytes": 4, "sha256": "ab" * 32}
_EVENTS_OF_BEAT = 60


def control_plane_of(database: Database) -> ControlPlane:
    """A control plane at the time that it is now: a server beside it must not expire its leases."""
    control_plane = ControlPlane(database)
    control_plane.now = datetime.now(UTC)
    return control_plane


def live_through(agent: Agent, number: int, *, reports: int, checkpoints: int) -> Job:
    """The job `number` of a control plane, counted from 1: it has run once, and succeeded.

    Everything of it that must be unique has the job's id in it, so that its rows can be copied.
    """
    control_plane = agent.control_plane
    job = control_plane.submit(key=f"key of job_{number:04d}")
    assert job.id == f"job_{number:04d}"
    claim = agent.claim(request_id=f"request of {job.id}")
    assert claim is not None
    events = _events(job.id, reports, checkpoints)
    for start in range(0, len(events), _EVENTS_OF_BEAT):
        agent.beat(claim, *events[start : start + _EVENTS_OF_BEAT])
    agent.report(claim)
    return job


def progress(seq: int, step: int) -> ReportedEvent:
    """A report of a point in each series."""
    values = {name: (step * 7919 + at) % 10_007 / 10_007 for at, name in enumerate(SERIES)}
    speed = {"images_per_second": 812.5, "eta_seconds": 1234.5}
    return an_event(
        seq, "progress", phase="train", step=step, total_steps=100_000, metrics=values, **speed
    )


def _events(job_id: str, reports: int, checkpoints: int) -> list[ReportedEvent]:
    seq = count(1)
    started = an_event(next(seq), "started", step=0, total_steps=100_000)
    told = [progress(next(seq), 10 * (each + 1)) for each in range(reports)]
    saved = [
        an_event(next(seq), "checkpoint", **published_body(_manifest(job_id, 1000 * (each + 1))))
        for each in range(checkpoints)
    ]
    return [started, *told, *saved]


def _manifest(job_id: str, step: int) -> Manifest:
    files = dict.fromkeys(_FILES, _DIGEST)
    return a_manifest(job_id, step, metrics={"top1_error": 1 / step}, files=files)

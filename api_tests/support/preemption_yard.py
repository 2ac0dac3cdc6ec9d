"""Jobs and workers of the tests that decide preemptions without a database."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from api_tests.support.control_agent import gpus as devices
from service.contract.workers import Worker, WorkerState
from service.domain.offers import JobNeeds, Offer
from service.domain.placement import Capacity, QueuedJob
from service.domain.preemption import RunningJob

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_capacity(
    name: str,
    *,
    slots: int = 0,
    gpus: tuple[int, int] = (0, 0),
    hosts: int = 1,
    labels: Mapping[str, str] | None = None,
) -> Capacity:
    """A worker with so many free slots, and (GPUs, free GPUs)."""
    worker = Worker(
        id=name,
        host=name,
        state=WorkerState.ACTIVE,
        gpus=devices(gpus[0]),
        labels=dict(labels or {}),
        slots=8,
        hosts=hosts,
        registered_at=_NOW,
        last_seen_at=_NOW,
    )
    return Capacity(worker, Offer({}, frozenset()), free_slots=slots, free_gpus=gpus[1])


def a_queued_job(
    job_id: str,
    *,
    priority: int = 0,
    gpus: int = 0,
    most_gpus: int = 0,
    hosts: int = 1,
    labels: Mapping[str, str] | None = None,
    worker_losses: int = 0,
    asked: Collection[str] = (),
) -> QueuedJob:
    """A job that every worker with its GPUs and labels can run; up to `most_gpus`, if more."""
    counts = tuple(range(gpus, most_gpus + 1)) if most_gpus > gpus else ()
    needs = JobNeeds(gpus=gpus, hosts=hosts, labels=dict(labels or {}), gpu_counts=counts)
    return QueuedJob(job_id, -priority, needs, worker_losses, frozenset(asked))


def a_running_job(
    job_id: str,
    worker_id: str,
    *,
    priority: int = 0,
    gpus: int = 0,
    hosts: int = 1,
    ran: float = 60.0,
    is_victim: bool = True,
    is_stopping: bool = False,
) -> RunningJob:
    """The first attempt of a job that may be preempted, unless said otherwise."""
    return RunningJob(
        id=job_id,
        attempt=1,
        worker_id=worker_id,
        queue_order=-priority,
        gpus=gpus,
        hosts=hosts,
        ran_seconds=ran,
        is_stopping=is_stopping,
        is_victim=is_victim,
    )

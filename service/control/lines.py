"""A job as its users see it: with its place in the queue and what it waits for."""

from collections.abc import Sequence

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.contract.workers import Worker, WorkerState
from service.store import attempts, workers
from service.store import jobs as store
from service.store.jobs import StoredJob


def shown(tx: Connection, found: Sequence[StoredJob]) -> list[Job]:
    """The jobs, those in the queue with `queue_position` and `wait_reason`."""
    if not any(stored.job.state is JobState.QUEUED for stored in found):
        return [stored.job for stored in found]
    there = [w for w in workers.there(tx) if w.state is WorkerState.ACTIVE]
    busy = len(attempts.live(tx)) >= sum(worker.slots for worker in there)
    return [
        stored.job.model_copy(
            update={
                "queue_position": store.ahead_of(tx, stored.job) + 1,
                "wait_reason": _wait_reason(stored, there, busy),
            }
        )
        if stored.job.state is JobState.QUEUED
        else stored.job
        for stored in found
    ]


def fits(needs: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether a worker with `labels` may run a job that asks for `needs`."""
    return all(labels.get(key) == value for key, value in needs.items())


def _wait_reason(stored: StoredJob, there: Sequence[Worker], busy: bool) -> str | None:
    needs = stored.job.spec.resources
    if not there:
        return "no worker is connected"
    labelled = [worker for worker in there if fits(needs.labels, worker.labels)]
    if not labelled:
        asked = ", ".join(f"{key}={value}" for key, value in needs.labels.items())
        return f"no worker has the labels {asked}"
    if max(len(worker.gpus) for worker in labelled) < needs.gpus:
        return f"no worker has {needs.gpus} {'GPU' if needs.gpus == 1 else 'GPUs'}"
    if stored.not_before is not None:
        return "it waits before its next try"
    return "all workers are busy" if busy else None

"""Jobs as their users see them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.control.jobs.available_actions import available_actions
from service.control.scheduling.wait_reasons import QueueState
from service.domain.errors import NotFound
from service.store import jobs as store
from service.store import resource_classes
from service.store.job_rows import StoredJob
from service.store.jobs import JobFilter


def get(tx: Connection, job_id: str) -> Job:
    """One job; raises NotFound."""
    return job_views(tx, [stored(tx, job_id)])[0]


def page(tx: Connection, job_filter: JobFilter) -> tuple[list[Job], bool]:
    """A page of jobs, newest first, and whether there are more."""
    rows = store.page(tx, job_filter)
    return job_views(tx, rows[: job_filter.limit]), len(rows) > job_filter.limit


def version_of(tx: Connection, job_id: str) -> tuple[int, JobState]:
    """A job's version, which counts its changes, and its state; raises NotFound."""
    version = store.version_of(tx, job_id)
    if version is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    return version


def stored(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob:
    """One job with what only the control plane knows; raises NotFound."""
    row = store.get(tx, job_id, lock=lock)
    if row is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    return row


def job_views(tx: Connection, rows: Sequence[StoredJob]) -> list[Job]:
    """The jobs with what may be done with them, those in the queue with `queue_position` and
    `wait_reason`."""
    actions = available_actions(tx, rows)
    queued = [row.job for row in rows if row.job.state is JobState.QUEUED]
    queue = QueueState.read(tx) if queued else None
    positions = resource_classes.positions(tx, queued) if queued else {}
    views = []
    for row in rows:
        update: dict[str, Any] = {"actions": actions[row.job.id]}
        if queue is not None and row.job.state is JobState.QUEUED:
            update["queue_position"] = positions[row.job.id]
            update["wait_reason"] = queue.wait_reason(tx, row)
        views.append(row.job.model_copy(update=update))
    return views

"""Jobs as their users see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.control.jobs.available_actions import actions_of, available_actions
from service.control.scheduling.wait_reasons import QueueState
from service.domain.errors import NotFound
from service.store import jobs as store
from service.store import resource_classes
from service.store.job_rows import StoredJob
from service.store.jobs import JobFilter

_FOLLOWING_OTHERS = (JobState.QUEUED, *ENDED_JOBS)
"""States of a job whose view changes with other jobs, and not with its version alone."""


def get(tx: Connection, job_id: str) -> Job:
    """One job; raises NotFound."""
    return job_views(tx, [stored(tx, job_id)])[0]


def page(tx: Connection, job_filter: JobFilter) -> tuple[list[Job], bool]:
    """A page of jobs, newest first, and whether there are more."""
    rows = store.page(tx, job_filter)
    return job_views(tx, rows[: job_filter.limit]), len(rows) > job_filter.limit


def version_of_row(tx: Connection, job_id: str) -> int | None:
    """The version, which counts each change, of a job that `view_of_row` shows; None for others."""
    version = store.version_of(tx, job_id)
    if version is None or version[1] in _FOLLOWING_OTHERS:
        return None
    return version[0]


def view_of_row(tx: Connection, job_id: str) -> Job | None:
    """A job that neither waits nor has ended: its view follows from its row. None for any other."""
    row = store.get(tx, job_id)
    if row is None or row.job.state in _FOLLOWING_OTHERS:
        return None
    actions = tuple(actions_of(row.job, None, has_source=True))
    return row.job.model_copy(update={"actions": actions})


def stored(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob:
    """One job with what only the control plane knows; raises NotFound."""
    row = store.get(tx, job_id, lock=lock)
    if row is None:
        raise NotFound("no_such_job", f"there is no job {job_id}")
    return row


def job_views(tx: Connection, rows: Sequence[StoredJob]) -> list[Job]:
    """The jobs with what may be done with them, those in the queue with `queue_position` and
    `wait_reason`."""
    queued = [row.job for row in rows if row.job.state is JobState.QUEUED]
    positions = resource_classes.positions(tx, queued) if queued else {}
    return _with_positions(tx, rows, positions)


def new_job_views(tx: Connection, rows: Sequence[StoredJob]) -> dict[str, Job]:
    """By id the views of jobs that were queued a moment ago, however many by few statements.

    One that was claimed or changed its state since is read again.
    """
    if not rows:
        return {}
    positions = resource_classes.positions_of_new(tx, [row.job for row in rows])
    moved = (store.get(tx, row.job.id) for row in rows if row.job.id not in positions)
    queued = [row for row in rows if row.job.id in positions]
    views = _with_positions(tx, queued, positions) + job_views(tx, [r for r in moved if r])
    # One that is deleted since is shown as it was stored.
    return {row.job.id: row.job for row in rows} | {job.id: job for job in views}


def _with_positions(
    tx: Connection, rows: Sequence[StoredJob], positions: Mapping[str, int]
) -> list[Job]:
    actions = available_actions(tx, rows)
    queue = QueueState.read(tx) if positions else None
    views = []
    for row in rows:
        update: dict[str, Any] = {"actions": actions[row.job.id]}
        if queue is not None and row.job.state is JobState.QUEUED:
            update["queue_position"] = positions[row.job.id]
            update["wait_reason"] = queue.wait_reason(tx, row)
        views.append(row.job.model_copy(update=update))
    return views

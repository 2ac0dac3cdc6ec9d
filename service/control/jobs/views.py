"""Jobs as their users see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, Job, JobState
from service.contract.model_json import json_of
from service.control.jobs.available_actions import RetryStart, actions_of, retry_starts
from service.control.jobs.permitted_actions import seen_by
from service.control.scheduling.wait_reasons import QueueState
from service.domain.access import Caller
from service.domain.errors import NotFound
from service.store import jobs as store
from service.store import resource_classes
from service.store.job_reading import job_of_others, polled_version
from service.store.job_rows import StoredJob
from service.store.polled_rows import PolledRows

_FOLLOWING_OTHERS = (JobState.QUEUED, *ENDED_JOBS)
"""States of a job whose view changes with other jobs, and not with its version alone."""
_MOST_KEPT = 512
_NO_RETRY = RetryStart()


@dataclass(frozen=True, eq=False)
class JobView:
    """A job as its users see it, whose JSON is written once."""

    job: Job

    @cached_property
    def json(self) -> bytes:
        """The JSON of the job."""
        return json_of(self.job)

    def json_for(self, reader: Caller) -> bytes:
        """The JSON of the job as one reader is shown it."""
        job = seen_by(self.job, reader)
        return self.json if job is self.job else json_of(job)


def view(tx: Connection, job_id: str) -> JobView:
    """One job; raises NotFound."""
    return views_of(tx, [stored(tx, job_id)])[0]


def short_view(tx: Connection, job_id: str) -> JobView:
    """One job as a list has it; raises NotFound."""
    row = store.get_short(tx, job_id)
    if row is None:
        raise _no_such_job(job_id)
    return views_of(tx, [row])[0]


def get(tx: Connection, job_id: str) -> Job:
    """As `view`, the job alone."""
    return view(tx, job_id).job


def version_of_row(rows: PolledRows, job_id: str) -> int | None:
    """The version, which counts each change, of a job whose view follows from its row alone.

    So does that of a job that neither waits nor has ended; None for any other.
    """
    version = polled_version(rows, job_id)
    if version is None or version[1] in _FOLLOWING_OTHERS:
        return None
    return version[0]


def view_of_others(others: tuple[Any, ...], left_out: int | None) -> Job | None:
    """A job from all columns of its row but those of its progress; None as by `version_of_row`."""
    row = job_of_others(others, left_out)
    return None if row.job.state in _FOLLOWING_OTHERS else _view(row, _Surroundings()).job


def stored(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob:
    """One job with what only the control plane knows; raises NotFound."""
    row = store.get(tx, job_id, lock=lock)
    if row is None:
        raise _no_such_job(job_id)
    return row


def _no_such_job(job_id: str) -> NotFound:
    return NotFound("no_such_job", f"there is no job {job_id}")


def views_of(tx: Connection, rows: Sequence[StoredJob]) -> list[JobView]:
    """The views of jobs that were read, in the same order."""
    queued = [row.job for row in rows if row.job.state is JobState.QUEUED]
    return _with_positions(tx, rows, resource_classes.positions(tx, queued) if queued else {})


def new_job_views(tx: Connection, rows: Sequence[StoredJob]) -> dict[str, Job]:
    """By id the views of jobs that were queued a moment ago, however many by few statements.

    One that was claimed or changed its state since is read again.
    """
    if not rows:
        return {}
    positions = resource_classes.positions_of_new(tx, [row.job for row in rows])
    moved = (store.get(tx, row.job.id) for row in rows if row.job.id not in positions)
    queued = [row for row in rows if row.job.id in positions]
    views = _with_positions(tx, queued, positions) + views_of(tx, [row for row in moved if row])
    # One that is deleted since is shown as it was stored.
    return {row.job.id: row.job for row in rows} | {each.job.id: each.job for each in views}


def _with_positions(
    tx: Connection, rows: Sequence[StoredJob], positions: Mapping[str, int]
) -> list[JobView]:
    starts = retry_starts(tx, rows)
    queue = QueueState.read(tx) if positions else None
    views = []
    for row in rows:
        job, position, reason = row.job, None, None
        if queue is not None and job.state is JobState.QUEUED:
            position, reason = positions[job.id], queue.wait_reason(tx, row)
        start = starts.get(job.id, _NO_RETRY)
        views.append(_view(row, _Surroundings(start, position, reason)))
    return views


@dataclass(frozen=True)
class _Surroundings:
    """What the view of a job depends on beside its own row."""

    start: RetryStart = _NO_RETRY
    queue_position: int | None = None
    wait_reason: str | None = None


@lru_cache(maxsize=_MOST_KEPT)
def _view(row: StoredJob, surroundings: _Surroundings) -> JobView:
    # A row that was read before is the same object: see `service.store.job_reading`.
    update = {
        "actions": tuple(actions_of(row.job, surroundings.start)),
        "queue_position": surroundings.queue_position,
        "wait_reason": surroundings.wait_reason,
    }
    return JobView(row.job.model_copy(update=update))

"""What a request changes of jobs: the columns of their rows, and an entry of their histories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job
from service.store import audit, history
from service.store import jobs as store
from service.store.audit import Act


@dataclass(frozen=True)
class JobChange:
    """New values of columns of a job's row, and the kind and message of its history's entry.

    `is_new` is false if the same was asked for before. The audit list has `action` and `detail`.
    """

    values: Mapping[str, Any]
    entry: tuple[str, str] | None
    is_new: bool = True
    action: str = ""
    detail: str | None = None


NO_CHANGE = JobChange({}, None, is_new=False)


def store_change(tx: Connection, job: Job, change: JobChange, now: datetime) -> None:
    """Store the change of one job, which the caller has locked."""
    if change.values:
        changed = store.change(tx, job.id, [job.state], change.values)
        assert changed, "the job is locked"
        audit.note(tx, change.action, job.id, change.detail)
    if change.entry is not None:
        history.note(tx, job.id, None, *change.entry, now)


def store_changes(tx: Connection, changes: Sequence[tuple[Job, JobChange]], now: datetime) -> None:
    """Store the changes of jobs, which the caller has locked, by few statements."""
    store.change_all(tx, {job.id: change.values for job, change in changes if change.values})
    history.note_all(
        tx,
        [
            history.Entry(job.id, *each.entry, now)
            for job, each in changes
            if each.entry is not None
        ],
    )
    acts = [Act(each.action, job.id, each.detail) for job, each in changes if each.values]
    audit.note_all(tx, acts)

"""Which checkpoints a job keeps, and which of them are its latest and best."""

from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.contract.specs import Retention
from service.control.kinds import kind_of
from service.domain.retention import best_of, surplus
from service.store import checkpoints, jobs


def expire(tx: Connection, job: Job) -> list[str]:
    """Mark as purging the checkpoints that the job's retention does not keep; gives their ids.

    A job of a kind without a retention keeps them all.
    """
    retention = kind_of(job.spec).retention(job.spec)
    if retention is None:
        return []
    # Locked before the uses are read: a submission locks the checkpoint that it starts from, too.
    newest_first = checkpoints.published_of(tx, job.id, lock=True)
    in_use = jobs.sources_in_use(tx, job.id)
    expired = [c.id for c in surplus(newest_first, retention, in_use)]
    checkpoints.mark(tx, expired, "purging")
    return expired


def pointers(tx: Connection, job: Job) -> dict[str, Any]:
    """The ids of the job's latest and best published checkpoint, by column."""
    retention = kind_of(job.spec).retention(job.spec) or Retention()
    newest_first = checkpoints.published_of(tx, job.id)
    best = best_of(newest_first, retention.metric)
    return {
        "latest_checkpoint": newest_first[0].id if newest_first else None,
        "best_checkpoint": best[0].id if best else None,
    }


def refresh_pointers(tx: Connection, job_id: str) -> None:
    """Set a job's pointers after its checkpoints have changed; a job without a row has none."""
    stored = jobs.get(tx, job_id)
    if stored is None:
        return
    # Always counted as a change: what may be done with the job follows from its checkpoints.
    jobs.change(tx, job_id, list(JobState), pointers(tx, stored.job))

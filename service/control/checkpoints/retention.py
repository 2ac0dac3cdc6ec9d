"""Which checkpoints a job keeps, and which of them are its latest and best."""

from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.contract.specs import JobSpec, Retention
from service.domain.retention import best_of, surplus
from service.store import checkpoints, jobs


def expire(tx: Connection, job: Job) -> list[str]:
    """Mark as purging the checkpoints that the job's retention does not keep; gives their ids.

    Only a training has a retention: an import keeps what the user asked for.
    """
    if not isinstance(job.spec, JobSpec):
        return []
    # Locked before the uses are read: a submission locks the checkpoint that it starts from, too.
    newest_first = checkpoints.published_of(tx, job.id, lock=True)
    in_use = jobs.sources_in_use(tx)
    expired = [c.id for c in surplus(newest_first, job.spec.retention, in_use)]
    checkpoints.mark(tx, expired, "purging")
    return expired


def pointers(tx: Connection, job: Job) -> dict[str, Any]:
    """The ids of the job's latest and best published checkpoint, by column."""
    retention = job.spec.retention if isinstance(job.spec, JobSpec) else Retention()
    newest_first = checkpoints.published_of(tx, job.id)
    best = best_of(newest_first, retention.metric)
    return {
        "latest_checkpoint": newest_first[0].id if newest_first else None,
        "best_checkpoint": best[0].id if best else None,
    }


def refresh_pointers(tx: Connection, job_id: str) -> None:
    """Set a job's pointers after a checkpoint has come or gone; a job without a row has none."""
    stored = jobs.get(tx, job_id)
    if stored is None:
        return
    new = pointers(tx, stored.job)
    if new != {name: getattr(stored.job, name) for name in new}:
        jobs.change(tx, job_id, list(JobState), new)

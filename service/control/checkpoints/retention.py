"""Which checkpoints a job keeps, and which of them are its latest and best."""

from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import Job, JobState
from service.contract.specs import JobSpec, Retention
from service.domain.retention import best_of, surplus
from service.store import checkpoints, jobs


def let_go(tx: Connection, job: Job) -> list[str]:
    """Mark as purging what the job's retention does not keep, and give the ids.

    Only a training has a retention: what was imported was given on purpose.
    """
    if not isinstance(job.spec, JobSpec):
        return []
    # Held before the uses are looked at: a job that is being submitted holds its source, too.
    newest_first = checkpoints.published_of(tx, job.id, lock=True)
    in_use = jobs.sources_in_use(tx)
    gone = [c.id for c in surplus(newest_first, job.spec.retention, in_use)]
    checkpoints.mark(tx, gone, "purging")
    return gone


def pointers(tx: Connection, job: Job) -> dict[str, Any]:
    """The job's latest and best checkpoint of those that are published."""
    retention = job.spec.retention if isinstance(job.spec, JobSpec) else Retention()
    newest_first = checkpoints.published_of(tx, job.id)
    best = best_of(newest_first, retention.metric)
    return {
        "latest_checkpoint": newest_first[0].id if newest_first else None,
        "best_checkpoint": best[0].id if best else None,
    }


def point_again(tx: Connection, job_id: str) -> None:
    """Set them after a checkpoint has come or gone; a job that is not known has none to set."""
    found = jobs.get(tx, job_id)
    if found is None:
        return
    now = pointers(tx, found.job)
    if now != {name: getattr(found.job, name) for name in now}:
        jobs.change(tx, job_id, list(JobState), now)

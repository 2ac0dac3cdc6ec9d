"""Changing what a job is called and when it is served; forgetting a finished one."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.changes import JobEdit
from service.contract.jobs import ENDED_JOBS, Job
from service.control.jobs.views import get, stored
from service.domain.errors import Conflict, Stale
from service.store import attempts, checkpoints, deletions, history
from service.store import jobs as store


def edit(tx: Connection, job_id: str, said: JobEdit, *, version: int | None, now: datetime) -> Job:
    """Change name, labels, priority of a job; raises NotFound, Stale if it has another version."""
    job = stored(tx, job_id, lock=True).job
    if version is not None and version != job.version:
        raise Stale("stale", f"{job_id} has changed: read it again, and send its new ETag")
    asked: dict[str, Any] = said.model_dump(exclude_none=True)
    changed = {name: value for name, value in asked.items() if getattr(job.spec, name) != value}
    if not changed:
        return get(tx, job_id)
    store.edit(tx, job.model_copy(update={"spec": job.spec.model_copy(update=changed)}))
    what = ", ".join(f"{name} is now {value}" for name, value in changed.items())
    history.note(tx, job_id, None, "edited", what, now)
    return get(tx, job_id)


def delete(tx: Connection, job_id: str) -> None:
    """Forget a finished job, and mark what is to go from the volume; raises NotFound, Conflict.

    Kept are its pinned and tagged checkpoints, and what a live job uses.
    """
    job = stored(tx, job_id, lock=True).job
    if job.state not in ENDED_JOBS:
        raise Conflict("job_not_ended", f"{job_id} is {job.state}; cancel it first")
    held = checkpoints.published_of(tx, job_id, lock=True)
    in_use = store.sources_in_use(tx)
    going = [c for c in held if not c.pinned and not c.tags and c.id not in in_use]
    going += checkpoints.in_state(tx, job_id, "purging")
    going += checkpoints.in_state(tx, job_id, "damaged")
    checkpoints.mark(tx, [c.id for c in going], "deleting")
    deletions.add(tx, job_id)
    attempts.delete_of_job(tx, job_id)
    history.delete_of_job(tx, job_id)
    store.delete_job(tx, job_id)

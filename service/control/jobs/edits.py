"""Changing the name, labels and place in the queue of a job; deleting a finished one."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from service.contract.changes import JobEdit
from service.contract.jobs import ENDED_JOBS
from service.control.access.ownership import require_owner
from service.control.jobs import search_family
from service.control.jobs.job_changes import store_change
from service.control.jobs.state_changes import edit_change
from service.control.jobs.views import stored
from service.domain.access import SERVER, Caller
from service.domain.errors import Conflict, Stale
from service.store import (
    attempts,
    audit,
    candidates,
    checkpoints,
    data_counts,
    deletions,
    history,
    search_parts,
    series,
)
from service.store import jobs as store


def edit(
    tx: Connection,
    job_id: str,
    change: JobEdit,
    *,
    versions: Collection[int] | None,
    now: datetime,
    by: Caller = SERVER,
) -> None:
    """Change what `JobEdit` has, of a search for what measures for it, too.

    Raises NotFound, Forbidden, Stale for another version.
    """
    job = stored(tx, job_id, lock=True).job
    require_owner(by, job_id, job.submitted_by)
    if versions is not None and job.version not in versions:
        raise Stale("stale", f"{job_id} has changed: read it again, and send its new ETag")
    store_change(tx, job, edit_change(job, change), now)
    search_family.edit_parts(tx, {job_id: change} if search_family.has_parts(job) else {}, now)


def delete(tx: Connection, job_id: str, by: Caller = SERVER) -> None:
    """Delete a finished job's rows, and mark what is to be removed from the volume.

    Its pinned and tagged checkpoints stay, and those that a live job uses. Raises NotFound,
    Forbidden, Conflict.
    """
    job = stored(tx, job_id, lock=True).job
    require_owner(by, job_id, job.submitted_by)
    if job.state not in ENDED_JOBS:
        raise Conflict("job_not_ended", f"{job_id} is {job.state}; cancel it first")
    if search_family.has_parts(job) and (live := search_parts.jobs_of(tx, [job_id])):
        message = (
            f"{live[0]}, which measures for {job_id}, is ending: delete it when that has ended"
        )
        raise Conflict("parts_not_ended", message)
    published = checkpoints.published_of(tx, job_id, lock=True)
    in_use = store.sources_in_use(tx, job_id)
    expired = [c for c in published if not c.pinned and not c.tags and c.id not in in_use]
    expired += checkpoints.in_state(tx, job_id, "purging")
    expired += checkpoints.in_state(tx, job_id, "damaged")
    checkpoints.mark(tx, [c.id for c in expired], "deleting")
    deletions.add(tx, job_id)
    attempts.delete_of_job(tx, job_id)
    history.delete_of_job(tx, job_id)
    series.delete_of_job(tx, job_id)
    data_counts.delete_of_job(tx, job_id)
    candidates.delete_of_job(tx, job_id)
    if job.kind == "search":
        search_parts.delete_of_job(tx, job_id)
    store.delete_job(tx, job_id)
    audit.note(tx, "job.delete", job_id, job.name)

"""Cancelling, pausing and resuming a job. A request that came before changes nothing.

What is done to a search is done to the jobs that measure for it, too.
"""

from datetime import datetime

from sqlalchemy import Connection

from service.control.access.ownership import require_owner
from service.control.jobs import search_family
from service.control.jobs.job_changes import store_change
from service.control.jobs.state_changes import cancel_change, pause_change, resume_change
from service.control.jobs.views import stored
from service.domain.access import SERVER, Caller
from service.store import attempts


def cancel(tx: Connection, job_id: str, *, mode: str, now: datetime, by: Caller = SERVER) -> bool:
    """End a queued job at once, ask a running one to stop; False if that was requested before.

    `graceful` lets it save a checkpoint first; a later `now` overrules it. Raises NotFound,
    Forbidden, Conflict.
    """
    row = stored(tx, job_id, lock=True)
    require_owner(by, job_id, row.job.submitted_by)
    change = cancel_change(row, mode, now, lambda: attempts.live_number(tx, job_id) is not None)
    store_change(tx, row.job, change, now)
    search_family.cancel_parts(tx, [row.job], mode, now)
    return change.is_new


def pause(tx: Connection, job_id: str, now: datetime, by: Caller = SERVER) -> bool:
    """Take a job out of the queue, have a running one save and stop.

    False if that was requested before. Raises NotFound, Forbidden, Conflict.
    """
    row = stored(tx, job_id, lock=True)
    require_owner(by, job_id, row.job.submitted_by)
    change = pause_change(row.job)
    store_change(tx, row.job, change, now)
    search_family.pause_parts(tx, [row.job], now)
    return change.is_new


def resume(tx: Connection, job_id: str, now: datetime, by: Caller = SERVER) -> None:
    """Put a paused job back into the queue, by its age; it goes on from its last checkpoint.

    One that is still pausing runs on, in a new attempt if its worker has stopped already.
    Raises NotFound, Forbidden, Conflict.
    """
    row = stored(tx, job_id, lock=True)
    require_owner(by, job_id, row.job.submitted_by)
    store_change(tx, row.job, resume_change(tx, row), now)
    search_family.resume_parts(tx, [row.job], now)

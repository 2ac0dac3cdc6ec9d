"""A search and the jobs that measure for it: what is done to it is done to them."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from service.contract.jobs import ENDED_JOBS, Job
from service.contract.specs import SearchSpec
from service.control.jobs.job_changes import JobChange, store_changes
from service.control.jobs.state_changes import cancel_change, pause_change, resume_change
from service.domain.lifecycle import JobEvent, is_legal
from service.store import attempts, search_parts
from service.store import jobs as store
from service.store.job_rows import StoredJob


def lock_with_parts(tx: Connection, job_ids: Collection[str]) -> None:
    """Lock jobs and what measures for them, in the order of ids, if anything does."""
    part_ids = search_parts.jobs_of(tx, job_ids)
    if part_ids:
        store.lock(tx, {*job_ids, *part_ids})


def lock_parts(tx: Connection, searches: Sequence[Job]) -> list[StoredJob]:
    """The live jobs that measure for some of the jobs, locked; the caller has locked these.

    No other can come: they are made under the lock of their search, and so their ids are later.
    """
    ids = [job.id for job in searches if has_parts(job)]
    part_ids = search_parts.jobs_of(tx, ids) if ids else []
    locked = store.lock_all(tx, part_ids) if part_ids else []
    # One may have ended while this waited for its lock.
    return [part for part in locked if part.job.state not in ENDED_JOBS]


def has_parts(job: Job) -> bool:
    """Whether a job may have others measure for it, as one that this version cannot read may."""
    spec = job.spec
    return job.kind == "search" and not (isinstance(spec, SearchSpec) and spec.params.workers == 1)


def cancel_parts(tx: Connection, searches: Sequence[Job], mode: str, now: datetime) -> None:
    """Cancel what measures for locked searches, which were cancelled or have ended."""
    parts = lock_parts(tx, searches)
    live = attempts.jobs_with_live(tx, [part.job.id for part in parts]) if parts else set()

    def change(row: StoredJob) -> JobChange:
        return cancel_change(row, mode, now, lambda: row.job.id in live)

    _store(tx, parts, change, now)


def pause_parts(tx: Connection, searches: Sequence[Job], now: datetime) -> None:
    """Pause what measures for locked searches, which were paused."""
    parts = _that_may(lock_parts(tx, searches), JobEvent.PAUSE_REQUESTED)
    _store(tx, parts, lambda row: pause_change(row.job), now)


def resume_parts(tx: Connection, searches: Sequence[Job], now: datetime) -> None:
    """Resume what measures for locked searches, which were resumed; raises Conflict."""
    parts = _that_may(lock_parts(tx, searches), JobEvent.RESUMED)
    _store(tx, parts, partial(resume_change, tx), now)


def change_parts(
    tx: Connection, action: str, searches: Sequence[Job], mode: str, now: datetime
) -> None:
    """Do to what measures for locked searches what was done to them, if it is of parts, too."""
    if action == "cancel":
        cancel_parts(tx, searches, mode, now)
    elif action == "pause":
        pause_parts(tx, searches, now)
    elif action == "resume":
        resume_parts(tx, searches, now)


def _that_may(parts: Sequence[StoredJob], event: JobEvent) -> list[StoredJob]:
    return [part for part in parts if is_legal(part.job.state, event)]


def _store(
    tx: Connection,
    parts: Sequence[StoredJob],
    change: Callable[[StoredJob], JobChange],
    now: datetime,
) -> None:
    if parts:
        store_changes(tx, [(part.job, change(part)) for part in parts], now)

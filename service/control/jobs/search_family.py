"""A search and the jobs that measure for it: what is done to it is done to them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from service.contract.changes import JobEdit
from service.contract.fields import MOST_LABELS
from service.contract.job_queries import PART_LABEL
from service.contract.jobs import ENDED_JOBS, Job
from service.contract.specs import SearchSpec
from service.control.jobs.job_changes import JobChange, store_changes
from service.control.jobs.state_changes import (
    cancel_change,
    edit_change,
    pause_change,
    resume_change,
)
from service.domain.lifecycle import JobEvent, is_legal
from service.store import attempts, search_parts
from service.store import jobs as store
from service.store.job_rows import StoredJob


def labels_of_part(search_id: str, labels: Mapping[str, str]) -> dict[str, str]:
    """Those of the search, and its own as long as there is room for it."""
    own = dict(labels) | {PART_LABEL: search_id}
    return own if len(own) <= MOST_LABELS else dict(labels)


def lock_with_parts(tx: Connection, job_ids: Collection[str]) -> None:
    """Lock jobs and what measures for them, in the order of ids, if anything does."""
    part_ids = search_parts.jobs_of(tx, job_ids)
    if part_ids:
        store.lock(tx, {*job_ids, *part_ids})


def lock_parts(tx: Connection, searches: Sequence[Job]) -> list[StoredJob]:
    """The live jobs that measure for some of the jobs, locked; the caller has locked these.

    No other can come: they are made under the lock of their search. Their ids are later than its
    own (see `later_id`), so that whoever locks jobs by id locks the search first, too.
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


def edit_parts(tx: Connection, edits: Mapping[str, JobEdit], now: datetime) -> None:
    """Give what measures for locked searches the labels and the place in the queue of theirs.

    `edits` are by the id of the search; a part has a name of its own, and keeps it.
    """
    parts = search_parts.searches_by_job(tx, edits) if edits else {}
    if not parts:
        return

    def change(row: StoredJob) -> JobChange:
        edit = edits[parts[row.job.id]]
        values = edit.model_dump(include={"labels", "priority", "preemptible"}, exclude_unset=True)
        if "labels" in values:
            values["labels"] = labels_of_part(parts[row.job.id], values["labels"])
        return edit_change(row.job, JobEdit.model_construct(set(values), **values))

    live = [row for row in store.lock_all(tx, parts) if row.job.state not in ENDED_JOBS]
    _store(tx, live, change, now)


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

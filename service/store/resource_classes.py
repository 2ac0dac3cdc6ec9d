"""The queue by resource class: the jobs of a class need the same of a worker."""

from collections.abc import Collection, Mapping, Sized
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    ScalarSelect,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)

from service.contract.jobs import Job, JobState
from service.domain.offers import JobNeeds
from service.domain.placement import QueuedJob
from service.store.job_columns import as_text, texts_of
from service.store.job_needs import column_of_needs, needs_of_column
from service.store.job_rows import StoredJob
from service.store.jobs import get
from service.store.search_tables import search_parts
from service.store.tables import jobs

# Written out: SQLite uses a partial index only if the query repeats its condition literally.
_QUEUED = jobs.c.state == literal_column("'queued'")
# What every submission sends is made once: to make a statement costs more than to send it.
_FIRST_OF_CLASS = (
    select(jobs.c.id)
    .where(_QUEUED, jobs.c.needs == bindparam("needs"), jobs.c.gpus == bindparam("gpus"))
    .limit(1)
)
_PART = jobs.alias("part")
_WAITS_FOR_PARTS = (
    select(search_parts.c.number)
    .select_from(search_parts.outerjoin(_PART, _PART.c.id == search_parts.c.job_id))
    .where(
        search_parts.c.search_id == jobs.c.id,
        # Of one that failed, too: the loop of searches ends them all.
        or_(_PART.c.id.is_(None), _PART.c.state.not_in((JobState.SUCCEEDED, JobState.CANCELLED))),
    )
    .correlate(jobs)
    .exists()
)
"""Whether a search waits for what it has others measure: it is never told, so never told late."""
# `{queue}` is the table by the index of the queue: see `_queue`.
_BEFORE = "(SELECT count(*) FROM {queue} WHERE state = 'queued' AND queue_order < ?)"
_AHEAD_OF = (
    f"SELECT {_BEFORE} "
    "+ (SELECT count(*) FROM {queue} WHERE state = 'queued' AND queue_order = ? AND id < ?)"
)
_BETWEEN = (
    "SELECT id FROM {queue} WHERE state = 'queued' AND queue_order = ? AND id BETWEEN ? AND ? "
    "ORDER BY id"
)
_WITHIN = (
    "(SELECT count(*) FROM {queue} WHERE state = 'queued' AND queue_order = ? AND id > ? "
    "AND id <= ?)"
)


@dataclass(frozen=True)
class ResourceClass:
    """What all jobs of a class need; `needs` is the column."""

    needs: str
    gpus: int

    @property
    def job_needs(self) -> JobNeeds:
        """What the column stands for."""
        return needs_of_column(self.needs, self.gpus)


def of_queued_jobs(tx: Connection) -> list[ResourceClass]:
    """Every resource class that has a queued job, by at most two index searches for each."""
    classes: list[ResourceClass] = []
    current = _first_class(tx, "needs >= ''")
    while current is not None:
        classes.append(current)
        # Not one comparison of pairs: SQLite would read all jobs with the same labels for it.
        more_gpus = _first_class(tx, "needs = ? AND gpus > ?", current.needs, current.gpus)
        current = more_gpus or _first_class(tx, "needs > ?", current.needs)
    return classes


def has_queued_job(tx: Connection, needs: JobNeeds) -> bool:
    """Whether a queued job has these needs."""
    values = {"needs": column_of_needs(needs), "gpus": needs.gpus}
    return tx.execute(_FIRST_OF_CLASS, values).first() is not None


def count(tx: Connection) -> int:
    """How many resource classes have a queued job; reads the index of the whole queue."""
    classes = select(jobs.c.needs, jobs.c.gpus).where(_QUEUED).distinct().subquery()
    total: int = tx.execute(select(func.count()).select_from(classes)).scalar_one()
    return total


def first_jobs(
    tx: Connection,
    resource_class: ResourceClass,
    *,
    at_limit: Collection[tuple[str, str]],
    now: datetime,
    limit: int,
) -> list[QueuedJob]:
    """The first of a class that need not wait; none with a label (key, value) `at_limit`."""
    asked = as_text(jobs.c.asked_workers, tx.dialect.name)
    query = select(jobs.c.id, jobs.c.queue_order, jobs.c.worker_losses, asked).where(
        _QUEUED,
        jobs.c.needs == resource_class.needs,
        jobs.c.gpus == resource_class.gpus,
        *_may_start(now),
    )
    for key, value in at_limit:
        query = query.where(jobs.c.labels[key].as_string().is_distinct_from(value))
    rows = tx.execute(query.order_by(jobs.c.queue_order, jobs.c.id).limit(limit))
    needs = resource_class.job_needs
    return [
        QueuedJob(row.id, row.queue_order, needs, row.worker_losses, texts_of(row.asked_workers))
        for row in rows
    ]


def lock_job(tx: Connection, job_id: str, now: datetime) -> StoredJob | None:
    """Lock a job that can still be claimed, and read it; None if another server has locked it."""
    query = select(jobs.c.id).where(jobs.c.id == job_id, _QUEUED, *_may_start(now))
    locked = tx.execute(query.with_for_update(skip_locked=True)).first()
    return get(tx, job_id) if locked is not None else None


def positions(tx: Connection, queued: Collection[Job]) -> dict[str, int]:
    """By id the positions of queued jobs in the queue, by one statement: the first is 1."""
    by_order: dict[int, list[str]] = {}
    for job in queued:
        by_order.setdefault(-job.spec.priority, []).append(job.id)
    parameters: list[int | str] = []
    for queue_order, ids in by_order.items():
        # Each row of the index is counted once, and not once for each job behind it.
        bounds = pairwise(["", *sorted(ids)])
        parameters += [queue_order, *(part for pair in bounds for part in (queue_order, *pair))]
    row = iter(_plain(tx, _counts(by_order), *parameters).one())
    positions: dict[str, int] = {}
    for ids in by_order.values():
        position: int = next(row)
        for job_id in sorted(ids):
            position += next(row)
            positions[job_id] = position
    return positions


def positions_of_new(tx: Connection, queued: Collection[Job]) -> dict[str, int]:
    """As `positions`, for jobs that were queued at one moment: few others are between them.

    Those that are not queued any more are left out.
    """
    by_order: dict[int, list[str]] = {}
    for job in queued:
        by_order.setdefault(-job.spec.priority, []).append(job.id)
    positions: dict[str, int] = {}
    for queue_order, ids in by_order.items():
        first, last = min(ids), max(ids)
        ahead: int = _plain(tx, _AHEAD_OF, queue_order, queue_order, first).scalar_one()
        between = _plain(tx, _BETWEEN, queue_order, first, last).scalars()
        positions |= {job_id: ahead + rank for rank, job_id in enumerate(between, 1)}
    return {job.id: positions[job.id] for job in queued if job.id in positions}


def count_ended_backoffs(tx: Connection, now: datetime) -> int:
    """How many queued jobs have a backoff that is over and is not cleared yet."""
    return tx.execute(select(_count(jobs.c.not_before <= now))).scalar_one()


def clear_ended_backoffs(tx: Connection, now: datetime) -> int:
    """Clear the backoffs that are over, so that the jobs wait for nothing; gives how many."""
    over: Any = and_(_QUEUED, jobs.c.not_before <= now)
    values = {"not_before": None, "version": jobs.c.version + 1}
    return tx.execute(update(jobs).where(over).values(**values)).rowcount


def _counts(by_order: Mapping[int, Sized]) -> str:
    """Of each order the jobs before it, and those of it up to each id; written as text, since to
    build such a query from the tables costs more than to run it."""
    counts = [each for ids in by_order.values() for each in (_BEFORE, *[_WITHIN] * len(ids))]
    return f"SELECT {', '.join(counts)}"


def _plain(tx: Connection, query: str, *values: str | int) -> CursorResult[Any]:
    """The rows of a query of plain text with `?` for each value, and `{queue}` for its table."""
    query = query.replace("{queue}", _queue(tx.dialect.name))
    query = query.replace("?", "%s") if tx.dialect.paramstyle == "pyformat" else query
    return tx.exec_driver_sql(query, values)


def _queue(dialect: str) -> str:
    # By itself SQLite would take the index of the states, and read the row of each queued job.
    return "jobs INDEXED BY ix_jobs_queue" if dialect == "sqlite" else "jobs"


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(jobs).where(_QUEUED, *conditions).scalar_subquery()


def _first_class(tx: Connection, condition: str, *values: str | int) -> ResourceClass | None:
    row = _plain(tx, _first_class_query(condition, tx.dialect.name), *values).first()
    return ResourceClass(row.needs, row.gpus) if row is not None else None


@cache
def _first_class_query(condition: str, dialect: str) -> str:
    # By itself SQLite would take the index of the states, and sort the whole queue.
    indexed = " INDEXED BY ix_jobs_resource_class" if dialect == "sqlite" else ""
    return (
        f"SELECT needs, gpus FROM jobs{indexed} WHERE state = 'queued' AND {condition} "
        "ORDER BY needs, gpus LIMIT 1"
    )


def _may_start(now: datetime) -> tuple[ColumnElement[bool], ...]:
    backoff_is_over = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)
    return backoff_is_over, ~_WAITS_FOR_PARTS

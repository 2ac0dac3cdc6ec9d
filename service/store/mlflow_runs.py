"""The runs by which jobs are shown in MLflow, and which server brings one up to date now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.store.mlflow_tables import mlflow_runs as runs
from service.store.tables import jobs

_OVERLAP = 1_000
"""Jobs before the newest one that may have been submitted by a transaction that ended later."""


@dataclass(frozen=True)
class LeasedRun:
    """The run of a job, which its holder alone brings up to date until `leased_until`.

    `run_id` is None before there is one; `tries` have failed since the last that did not.
    """

    job_id: str
    run_id: str | None
    tries: int
    leased_until: datetime


def unknown_jobs(
    tx: Connection, kinds: Sequence[str], limit: int, *, newest_only: bool
) -> list[str]:
    """The ids of jobs of some kinds that have no row, oldest first; of the newest ones, or all.

    Without the parts of searches, which are hundreds, and whose measurements the search has.
    """
    query = select(jobs.c.id).where(jobs.c.kind.in_(kinds), jobs.c.part_of.is_(None))
    query = query.where(~select(runs.c.job_id).where(runs.c.job_id == jobs.c.id).exists())
    if newest_only:
        newest = select(runs.c.job_id).order_by(runs.c.job_id.desc()).offset(_OVERLAP).limit(1)
        query = query.where(jobs.c.id > func.coalesce(newest.scalar_subquery(), ""))
    return list(tx.execute(query.order_by(jobs.c.id).limit(limit)).scalars())


def add(tx: Connection, job_ids: Sequence[str], now: datetime) -> None:
    """Have jobs be shown; those that have a row are left out."""
    rows = [
        {"job_id": job_id, "version": 0, "ended": False, "tries": 0, "next_try_at": now}
        for job_id in job_ids
    ]
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    if rows:
        tx.execute(dialect.insert(runs).on_conflict_do_nothing(), rows)


def is_due(tx: Connection, now: datetime) -> bool:
    """Whether a job has begun, changed or been deleted since its run was brought up to date."""
    return tx.execute(_due(now).limit(1)).first() is not None


def lease_next(tx: Connection, *, until: datetime, now: datetime) -> LeasedRun | None:
    """Take the run that is due for longest; one that another server is taking is passed over."""
    query = _due(now).order_by(runs.c.next_try_at, runs.c.job_id).limit(1)
    row = tx.execute(query.with_for_update(skip_locked=True, of=runs)).first()
    if row is None:
        return None
    tx.execute(update(runs).where(runs.c.job_id == row.job_id).values(leased_until=until))
    return LeasedRun(row.job_id, row.run_id, row.tries, until)


def record(tx: Connection, leased: LeasedRun, values: Mapping[str, Any]) -> bool:
    """Set columns of a leased run and give it back; False if the lease ran out meanwhile."""
    statement = update(runs).where(*_is(leased)).values(**values, leased_until=None)
    return tx.execute(statement).rowcount == 1


def remove(tx: Connection, leased: LeasedRun) -> None:
    """Forget the run of a job that is deleted."""
    tx.execute(delete(runs).where(*_is(leased)))


def remove_ended_of_deleted(tx: Connection, limit: int) -> None:
    """Forget at most `limit` runs that have ended, of jobs that are deleted."""
    of_none = ~select(jobs.c.id).where(jobs.c.id == runs.c.job_id).exists()
    ids = select(runs.c.job_id).where(runs.c.ended, of_none).limit(limit)
    tx.execute(delete(runs).where(runs.c.job_id.in_(ids)))


def end_leases(tx: Connection) -> None:
    """Give every run back: for the start of the only server of a database."""
    tx.execute(update(runs).where(runs.c.leased_until.is_not(None)).values(leased_until=None))


def _due(now: datetime) -> Any:
    query = select(runs.c.job_id, runs.c.run_id, runs.c.tries)
    query = query.select_from(runs.outerjoin(jobs, jobs.c.id == runs.c.job_id))
    has_begun = or_(jobs.c.started_at.is_not(None), jobs.c.finished_at.is_not(None))
    has_changed = has_begun & (jobs.c.version > runs.c.version)
    return query.where(
        not_(runs.c.ended),
        runs.c.next_try_at <= now,
        or_(runs.c.leased_until.is_(None), runs.c.leased_until < now),
        or_(jobs.c.id.is_(None), has_changed),
    )


def _is(leased: LeasedRun) -> tuple[Any, ...]:
    return runs.c.job_id == leased.job_id, runs.c.leased_until == leased.leased_until

"""The line of queued jobs, in lanes: the jobs of a lane ask for the same GPUs and labels."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from service.contract.jobs import Job
from service.domain.placement import QueuedJob
from service.store.jobs import StoredJob, get
from service.store.tables import jobs

# Written out: SQLite uses the partial index only for the very words of its condition.
_QUEUED = jobs.c.state == literal_column("'queued'")


@dataclass(frozen=True)
class ResourceClass:
    """What all jobs of a lane ask for; `needs` as it is stored."""

    needs: str
    gpus: int

    @property
    def labels(self) -> dict[str, str]:
        """The labels that a worker must have."""
        labels: dict[str, str] = json.loads(self.needs)
        return labels


def lanes(tx: Connection) -> list[ResourceClass]:
    """Every lane that has a job, by two looks into the index for each at most."""
    found: list[ResourceClass] = []
    lane = _lane(tx, "needs >= ''")
    while lane is not None:
        found.append(lane)
        # Not one comparison of pairs: SQLite would read all jobs with the same labels for it.
        next_of_labels = _lane(tx, "needs = :needs AND gpus > :gpus", lane)
        lane = next_of_labels or _lane(tx, "needs > :needs", lane)
    return found


def heads(
    tx: Connection,
    lane: ResourceClass,
    *,
    full: Sequence[tuple[str, str]],
    now: datetime,
    limit: int,
) -> list[QueuedJob]:
    """The first of a lane whose time has come; none with a label (key, value) that is `full`."""
    query = select(jobs.c.id, jobs.c.rank, jobs.c.losses).where(
        _QUEUED, jobs.c.needs == lane.needs, jobs.c.gpus == lane.gpus, _due(now)
    )
    for key, value in full:
        query = query.where(jobs.c.labels[key].as_string().is_distinct_from(value))
    rows = tx.execute(query.order_by(jobs.c.rank, jobs.c.id).limit(limit))
    labels = lane.labels
    return [QueuedJob(row.id, row.rank, lane.gpus, labels, row.losses) for row in rows]


def hold(tx: Connection, job_id: str, now: datetime) -> StoredJob | None:
    """Hold a job that can still be claimed, as it is now; None if another server has it in hand."""
    query = select(jobs.c.id).where(jobs.c.id == job_id, _QUEUED, _due(now))
    held = tx.execute(query.with_for_update(skip_locked=True)).first()
    return get(tx, job_id) if held is not None else None


def positions(tx: Connection, asked: Iterable[Job]) -> dict[str, int]:
    """By id the place of queued jobs in the line: the first is 1."""
    by_rank: dict[int, list[str]] = {}
    for job in asked:
        by_rank.setdefault(-job.spec.priority, []).append(job.id)
    found: dict[str, int] = {}
    for rank, ids in by_rank.items():
        place, last = _count(tx, jobs.c.rank < rank), ""
        for job_id in sorted(ids):
            place += _count(tx, jobs.c.rank == rank, jobs.c.id > last, jobs.c.id <= job_id)
            found[job_id], last = place, job_id
    return found


def due_again(tx: Connection, now: datetime) -> int:
    """How many queued jobs have waited long enough after a failure, and still say that they do."""
    return _count(tx, jobs.c.not_before <= now)


def let_on(tx: Connection, now: datetime) -> int:
    """Have those say so no longer; how many there were."""
    waited: Any = and_(_QUEUED, jobs.c.not_before <= now)
    values = {"not_before": None, "version": jobs.c.version + 1}
    return tx.execute(update(jobs).where(waited).values(**values)).rowcount


def _count(tx: Connection, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(jobs).where(_QUEUED, *conditions)
    return tx.execute(query).scalar_one()


def _lane(tx: Connection, after: str, last: ResourceClass | None = None) -> ResourceClass | None:
    # By itself SQLite would take the index of the states, and sort the whole queue.
    indexed = " INDEXED BY ix_jobs_lanes" if tx.dialect.name == "sqlite" else ""
    query = text(
        f"SELECT needs, gpus FROM jobs{indexed} WHERE state = 'queued' AND {after} "
        "ORDER BY needs, gpus LIMIT 1"
    )
    row = tx.execute(query, asdict(last) if last is not None else {}).first()
    return ResourceClass(row.needs, row.gpus) if row is not None else None


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)

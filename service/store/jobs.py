"""Jobs in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)

from service.contract.jobs import ENDED_JOBS, AnySpec, Job, JobState, Progress, Reason
from service.store.tables import jobs

_SPEC: TypeAdapter[AnySpec] = TypeAdapter(AnySpec)


@dataclass(frozen=True)
class StoredJob:
    """A job as users see it, and what only the control plane knows of it."""

    job: Job
    failures: int
    losses: int
    not_before: datetime | None
    stop_mode: str | None
    source_checkpoint: str | None


@dataclass(frozen=True)
class JobFilter:
    """What a list of jobs is narrowed to; None is no limit."""

    state: JobState | None = None
    kind: str | None = None
    recipe: str | None = None
    label: tuple[str, str] | None = None
    after: str | None = None
    limit: int = 20


def add(tx: Connection, job: Job, source_checkpoint: str | None) -> None:
    """Store a new job."""
    tx.execute(
        insert(jobs).values(
            **_dumped(job),
            priority=job.spec.priority,
            gpus=job.spec.resources.gpus,
            failures=0,
            losses=0,
            source_checkpoint=source_checkpoint,
        )
    )


def get(tx: Connection, job_id: str, *, lock: bool = False) -> StoredJob | None:
    """One job; `lock` holds it against other transactions until this one ends."""
    query = select(jobs).where(jobs.c.id == job_id)
    row = tx.execute(query.with_for_update() if lock else query).mappings().first()
    return _stored(row) if row is not None else None


def page(tx: Connection, wanted: JobFilter) -> list[StoredJob]:
    """Newest first, one more than the limit where there are more."""
    query = select(jobs).order_by(jobs.c.id.desc()).limit(wanted.limit + 1)
    for column, value in (
        (jobs.c.state, wanted.state),
        (jobs.c.kind, wanted.kind),
        (jobs.c.recipe, wanted.recipe),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.label is not None:
        key, text = wanted.label
        query = query.where(jobs.c.labels[key].as_string() == text)
    if wanted.after is not None:
        query = query.where(jobs.c.id < wanted.after)
    return [_stored(row) for row in tx.execute(query).mappings()]


def claimable(tx: Connection, *, free_gpus: int, now: datetime, limit: int) -> list[StoredJob]:
    """Queued jobs whose time has come and that fit, first in line first; nobody holds them."""
    query = _in_line(select(jobs)).where(jobs.c.gpus <= free_gpus, _due(now))
    return [_stored(row) for row in tx.execute(query.limit(limit)).mappings()]


def hold_queued(tx: Connection, job_id: str, now: datetime) -> StoredJob | None:
    """Hold a job that can still be claimed, as it is now; None if another server has it in hand."""
    query = select(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED, _due(now))
    row = tx.execute(query.with_for_update(skip_locked=True)).mappings().first()
    return _stored(row) if row is not None else None


def ahead_of(tx: Connection, job: Job) -> int:
    """How many queued jobs are served before this one."""
    earlier = or_(
        jobs.c.priority > job.spec.priority,
        and_(jobs.c.priority == job.spec.priority, jobs.c.id < job.id),
    )
    query = select(func.count()).select_from(jobs)
    return tx.execute(query.where(jobs.c.state == JobState.QUEUED, earlier)).scalar_one()


def change(
    tx: Connection, job_id: str, states: Sequence[JobState], values: Mapping[str, Any]
) -> bool:
    """Set columns of a job that is in one of `states`; False if it is not. Counts the version."""
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.state.in_(states))
        .values(**values, version=jobs.c.version + 1)
    )
    return tx.execute(statement).rowcount == 1


def raise_attempt(tx: Connection, job_id: str, number: int) -> None:
    """See to it that no later attempt takes a number whose folder is there already."""
    statement = update(jobs).where(jobs.c.id == job_id, jobs.c.attempt < number)
    tx.execute(statement.values(attempt=number))


def version_of(tx: Connection, job_id: str) -> tuple[int, JobState] | None:
    """How often a job was changed, and its state: what a poll needs to know first."""
    row = tx.execute(select(jobs.c.version, jobs.c.state).where(jobs.c.id == job_id)).first()
    return (row.version, JobState(row.state)) if row is not None else None


def exports_of(tx: Connection, checkpoint_id: str) -> list[StoredJob]:
    """The export jobs of a checkpoint that may serve (again), newest first."""
    query = select(jobs).where(
        jobs.c.source_checkpoint == checkpoint_id,
        jobs.c.kind == "export",
        jobs.c.state.not_in((JobState.FAILED, JobState.CANCELLED, JobState.CANCELLING)),
    )
    return [_stored(row) for row in tx.execute(query.order_by(jobs.c.id.desc())).mappings()]


def sources_in_use(tx: Connection) -> set[str]:
    """Checkpoints from which a job that has not ended starts or evaluates."""
    live = [state for state in JobState if state not in ENDED_JOBS]
    query = select(jobs.c.source_checkpoint).where(
        jobs.c.state.in_(live), jobs.c.source_checkpoint.is_not(None)
    )
    return set(tx.execute(query).scalars())


def users_of(tx: Connection, checkpoint_id: str, *, live: bool = False) -> list[str]:
    """The jobs whose source is this checkpoint, oldest first; `live` leaves out the ended ones."""
    query = select(jobs.c.id).where(jobs.c.source_checkpoint == checkpoint_id)
    if live:
        query = query.where(jobs.c.state.not_in(ENDED_JOBS))
    return list(tx.execute(query.order_by(jobs.c.id).limit(1000)).scalars())


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)


def _in_line(query: "Select[Any]") -> "Select[Any]":
    queued = query.where(jobs.c.state == JobState.QUEUED)
    return queued.order_by(jobs.c.priority.desc(), jobs.c.id)


def _dumped(job: Job) -> dict[str, Any]:
    columns = job.model_dump(
        exclude={"object", "queue_position", "wait_reason", "spec", "progress"}
    )
    return columns | {
        "spec": job.spec.model_dump(mode="json"),
        "progress": job.progress.model_dump(mode="json"),
    }


def _stored(row: RowMapping) -> StoredJob:
    names = [name for name in Job.model_fields if name in row and name not in ("spec", "progress")]
    job = Job.model_construct(
        **{name: row[name] for name in names}
        | {
            "state": JobState(row["state"]),
            "reason": Reason(row["reason"]) if row["reason"] else None,
            "spec": _SPEC.validate_python(row["spec"]),
            "progress": Progress.model_validate(row["progress"]),
        }
    )
    return StoredJob(
        job=job,
        failures=row["failures"],
        losses=row["losses"],
        not_before=row["not_before"],
        stop_mode=row["stop_mode"],
        source_checkpoint=row["source_checkpoint"],
    )

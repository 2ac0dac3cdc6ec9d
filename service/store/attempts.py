"""Attempts in the database; a write to a live attempt checks that it is still live."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState, Reason
from service.contract.reading import member
from service.domain.retry import MACHINE_FAULTS
from service.store.job_needs import needs_of_column
from service.store.tables import attempts, jobs, workers

GIVEN_GPUS = func.coalesce(attempts.c.gpu_count, jobs.c.gpus)
"""How many GPUs an attempt has on each host, where it is joined to its job."""
_USAGE = (
    select(
        attempts.c.worker_id, jobs.c.needs, GIVEN_GPUS.label("gpus"), func.count().label("number")
    )
    .join(jobs, jobs.c.id == attempts.c.job_id)
    .where(attempts.c.state.in_(LIVE_ATTEMPTS))
    .group_by(attempts.c.worker_id, jobs.c.needs, GIVEN_GPUS)
)


@dataclass(frozen=True)
class StoredAttempt:
    """An attempt as users see it, and its secrets."""

    attempt: Attempt
    token: str
    request_id: str
    renewed_at: datetime
    acked_seq: int
    spared: bool


def add(tx: Connection, attempt: Attempt, *, token: str, request_id: str) -> None:
    """Store a new attempt; its lease begins now."""
    tx.execute(
        insert(attempts).values(
            **attempt.model_dump(),
            token=token,
            request_id=request_id,
            renewed_at=attempt.created_at,
            acked_seq=0,
            spared=False,
        )
    )


def of_request(tx: Connection, worker_id: str, request_id: str) -> StoredAttempt | None:
    """The attempt that a claim with this request id made before, if there is one."""
    return _first(tx, attempts.c.worker_id == worker_id, attempts.c.request_id == request_id)


def get(tx: Connection, job_id: str, number: int) -> StoredAttempt | None:
    """One attempt, locked for this transaction."""
    return _first(tx, attempts.c.job_id == job_id, attempts.c.number == number)


def worker_of(tx: Connection, job_id: str, number: int) -> str | None:
    """The worker that claimed an attempt; None if there is no such attempt."""
    query = select(attempts.c.worker_id)
    query = query.where(attempts.c.job_id == job_id, attempts.c.number == number)
    return tx.execute(query).scalar_one_or_none()


def change_live(tx: Connection, job_id: str, number: int, values: Mapping[str, Any]) -> bool:
    """The fence: set columns of a live attempt; False if it is not live (any more)."""
    statement = (
        update(attempts)
        .where(
            attempts.c.job_id == job_id,
            attempts.c.number == number,
            attempts.c.state.in_(LIVE_ATTEMPTS),
        )
        .values(**values)
    )
    return tx.execute(statement).rowcount == 1


def preempted_for(tx: Connection, job_id: str, number: int) -> str | None:
    """The job for which an attempt was asked to give its place back; None if it was not."""
    query = select(attempts.c.preempted_for)
    query = query.where(attempts.c.job_id == job_id, attempts.c.number == number)
    return tx.execute(query).scalar_one_or_none()


def note_gpus(tx: Connection, gpus: Sequence[tuple[str, tuple[str, int], Sequence[int]]]) -> None:
    """Set which GPUs attempts use, given (worker id, (job id, number), indices) of each.

    In the order of jobs, in which every caller locks attempts.
    """
    of_attempt = update(attempts).where(
        attempts.c.job_id == bindparam("of_job"),
        attempts.c.number == bindparam("of_number"),
        attempts.c.worker_id == bindparam("of_worker"),
    )
    rows = [
        {"of_worker": worker_id, "of_job": job_id, "of_number": number, "indices": list(indices)}
        for worker_id, (job_id, number), indices in sorted(gpus, key=lambda each: each[1])
    ]
    if rows:
        tx.execute(of_attempt.values(gpus=bindparam("indices", type_=attempts.c.gpus.type)), rows)


def live_number(tx: Connection, job_id: str) -> int | None:
    """The number of the job's live attempt, if it has one."""
    query = select(attempts.c.number).where(
        attempts.c.job_id == job_id, attempts.c.state.in_(LIVE_ATTEMPTS)
    )
    return tx.execute(query).scalar()


def jobs_with_live(tx: Connection, job_ids: Collection[str]) -> set[str]:
    """Those of the jobs that have a live attempt."""
    query = select(attempts.c.job_id).where(
        attempts.c.job_id.in_(job_ids), attempts.c.state.in_(LIVE_ATTEMPTS)
    )
    return set(tx.execute(query).scalars())


def of_job(tx: Connection, job_id: str) -> list[Attempt]:
    """Every attempt of a job, oldest first."""
    query = select(attempts).where(attempts.c.job_id == job_id).order_by(attempts.c.number)
    return [_stored(row).attempt for row in tx.execute(query).mappings()]


def live_jobs(tx: Connection, worker_id: str | None = None) -> list[tuple[str, str, str | None]]:
    """Worker, job and the job's name of each live attempt, of one worker or of all, by job id."""
    query = select(attempts.c.worker_id, jobs.c.id, jobs.c.name).join(
        jobs, jobs.c.id == attempts.c.job_id
    )
    query = query.where(attempts.c.state.in_(LIVE_ATTEMPTS)).order_by(jobs.c.id)
    if worker_id is not None:
        query = query.where(attempts.c.worker_id == worker_id)
    return [(row.worker_id, row.id, row.name) for row in tx.execute(query)]


def live(tx: Connection, worker_id: str | None = None) -> list[StoredAttempt]:
    """The attempts that hold a lease, of one worker or of all, by job id: the order of locking."""
    query = select(attempts).where(attempts.c.state.in_(LIVE_ATTEMPTS))
    query = query.order_by(attempts.c.job_id)
    if worker_id is not None:
        query = query.where(attempts.c.worker_id == worker_id)
    return [_stored(row) for row in tx.execute(query).mappings()]


def usage(tx: Connection) -> dict[str, tuple[int, int]]:
    """By worker id how many slots its live attempts take, one for each host, and how many GPUs."""
    used: dict[str, tuple[int, int]] = {}
    for row in tx.execute(_USAGE):
        needs = needs_of_column(row.needs, row.gpus)
        slots, gpus = used.get(row.worker_id, (0, 0))
        slots += row.number * needs.hosts
        used[row.worker_id] = slots, gpus + row.number * needs.gpus
    return used


def loss_locations(tx: Connection, job_id: str, limit: int) -> list[tuple[str, str]]:
    """Worker and host of the attempts that ended by a machine's fault, the newest first."""
    query = (
        select(workers.c.id, workers.c.host)
        .join(attempts, attempts.c.worker_id == workers.c.id)
        .where(attempts.c.job_id == job_id, attempts.c.reason.in_(MACHINE_FAULTS))
    )
    rows = tx.execute(query.order_by(attempts.c.number.desc()).limit(limit))
    return [(row.id, row.host) for row in rows]


def ended_of(tx: Connection, worker_id: str, since: datetime, limit: int) -> list[Attempt]:
    """Attempts that a worker claimed since a moment and that have ended, the newest end first."""
    query = select(attempts).where(
        attempts.c.worker_id == worker_id,
        attempts.c.created_at >= since,
        attempts.c.finished_at.is_not(None),
    )
    newest_first = query.order_by(attempts.c.finished_at.desc(), attempts.c.job_id.desc())
    return [_stored(row).attempt for row in tx.execute(newest_first.limit(limit)).mappings()]


def delete_of_job(tx: Connection, job_id: str) -> None:
    """Delete every attempt of a job."""
    tx.execute(delete(attempts).where(attempts.c.job_id == job_id))


def _first(tx: Connection, *conditions: Any) -> StoredAttempt | None:
    query = select(attempts).where(*conditions).with_for_update()
    row = tx.execute(query).mappings().first()
    return _stored(row) if row is not None else None


def _stored(row: RowMapping) -> StoredAttempt:
    attempt = Attempt(
        job_id=row["job_id"],
        number=row["number"],
        worker_id=row["worker_id"],
        state=member(AttemptState, row["state"]),
        reason=member(Reason, row["reason"]) if row["reason"] else None,
        message=row["message"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        gpus=_gpus(row["gpus"]),
        gpu_count=row["gpu_count"],
    )
    return StoredAttempt(
        attempt,
        row["token"],
        row["request_id"],
        row["renewed_at"],
        row["acked_seq"],
        row["spared"],
    )


def _gpus(stored: Any) -> tuple[int, ...] | None:
    if not isinstance(stored, list):
        return None
    return tuple(index for index in stored if isinstance(index, int))

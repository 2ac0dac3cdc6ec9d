"""The leases of attempts in the database: a live attempt has one, which heartbeats renew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, func, select, update

from service.contract.jobs import LIVE_ATTEMPTS, AttemptState, JobState
from service.contract.reading import member
from service.store.tables import attempts, jobs

# What every heartbeat sends is made once: to make a statement costs more than to send it.
_OF_JOBS: BindParameter[str] = bindparam("job_ids", expanding=True)
_LIVE = (
    select(
        attempts.c.job_id,
        attempts.c.number,
        attempts.c.token,
        attempts.c.acked_seq,
        attempts.c.state,
        jobs.c.state.label("job_state"),
        jobs.c.stop_mode,
        attempts.c.preempted_for,
    )
    # PostgreSQL locks the rows of the first table first.
    .select_from(jobs)
    .join(attempts, attempts.c.job_id == jobs.c.id)
    .where(jobs.c.id.in_(_OF_JOBS), attempts.c.state.in_(LIVE_ATTEMPTS))
    .order_by(jobs.c.id)
    .with_for_update()
)
_NOW = bindparam("now", type_=attempts.c.renewed_at.type)
_RENEW = (
    update(attempts)
    .where(attempts.c.job_id.in_(_OF_JOBS), attempts.c.state.in_(LIVE_ATTEMPTS))
    .values(
        state=AttemptState.RUNNING,
        started_at=func.coalesce(attempts.c.started_at, _NOW),
        renewed_at=_NOW,
        spared=False,
    )
)


@dataclass(frozen=True)
class LiveAttempt:
    """What a heartbeat needs to know of a live attempt and its job."""

    job_id: str
    number: int
    token: str
    state: AttemptState
    acked_seq: int
    job_state: JobState
    stop_mode: str | None
    is_preempted: bool = False


def lock_live(tx: Connection, job_ids: Sequence[str]) -> dict[str, LiveAttempt]:
    """By job id its live attempt; locks both, the job before its attempt, in the order of ids."""
    rows = tx.execute(_LIVE, {"job_ids": list(job_ids)})
    return {
        row.job_id: LiveAttempt(
            job_id=row.job_id,
            number=row.number,
            token=row.token,
            state=member(AttemptState, row.state),
            acked_seq=row.acked_seq,
            job_state=member(JobState, row.job_state),
            stop_mode=row.stop_mode,
            is_preempted=row.preempted_for is not None,
        )
        for row in rows
    }


def renew(tx: Connection, job_ids: Sequence[str], now: datetime) -> None:
    """Renew the leases of the live attempts of jobs that the caller has locked."""
    renewed = tx.execute(_RENEW, {"job_ids": list(job_ids), "now": now}).rowcount
    assert renewed == len(job_ids), "the caller has locked a live attempt of each"


def renew_since(tx: Connection, since: datetime | None, now: datetime) -> int:
    """Renew the leases of the attempts renewed since a moment; None is all; how many.

    For the start of a server: silence while no server listened is nobody's fault.
    """
    renewable: ColumnElement[bool] = attempts.c.state.in_(LIVE_ATTEMPTS)
    if since is not None:
        renewable &= attempts.c.renewed_at >= since
    # By job, as a sweep of another server locks them.
    locked = select(attempts.c.job_id).where(renewable).order_by(attempts.c.job_id)
    tx.execute(locked.with_for_update())
    return tx.execute(update(attempts).where(renewable).values(renewed_at=now)).rowcount

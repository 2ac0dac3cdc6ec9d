"""Quarantine of a worker on which one job after the other fails soon after its start."""

from datetime import datetime

from sqlalchemy import Connection

from service.contract.jobs import Attempt, AttemptState, Reason
from service.contract.workers import WorkerState
from service.store import attempts, webhook_outbox, workers
from service.store.measurements import measure

JOBS_BEFORE_QUARANTINE = 3
_ATTEMPTS_READ = 30
_WORKER_FAULTS = (
    Reason.CRASHED,
    Reason.STALLED,
    Reason.WORKER_LOST,
    Reason.WORKER_UNFIT,
)
"""Reasons that a broken machine may give. Bad data, bad weights and a batch that is too large are a
submission's fault, and a full disk is no single worker's: three mistakes of a user must not
quarantine the only worker."""


def lock_worker_of(tx: Connection, job_id: str, number: int) -> None:
    """Lock an attempt's worker; called before its job is locked: every caller keeps that order."""
    worker_id = attempts.worker_of(tx, job_id, number)
    if worker_id is not None:
        workers.get(tx, worker_id, lock=True)


def quarantine_if_broken(
    tx: Connection, worker_id: str, quick_seconds: float, now: datetime
) -> bool:
    """Quarantine a worker whose last three different jobs each failed within `quick_seconds`.

    A job that ran longer or succeeded shows that the worker is sound; a released one shows nothing.
    """
    since = workers.trusted_since(tx, worker_id)
    failed: dict[str, Attempt] = {}
    for attempt in attempts.ended_of(tx, worker_id, since, _ATTEMPTS_READ):
        is_failure = attempt.state is AttemptState.FAILED
        if attempt.state is AttemptState.SUCCEEDED:
            break
        if is_failure and _ran_seconds(attempt) > quick_seconds:
            break
        if is_failure and attempt.reason in _WORKER_FAULTS:
            failed.setdefault(attempt.job_id, attempt)
    if len(failed) < JOBS_BEFORE_QUARANTINE:
        return False
    last = next(iter(failed.values()))
    why = (last.message or str(last.reason)).replace("\n", " ")
    message = (
        f"{len(failed)} different jobs failed within {quick_seconds:g} s of their start, "
        f"the last one, {last.job_id}, with: {why}"
    )
    measure(tx, "quarantines", 1)
    workers.change(tx, worker_id, {"state": WorkerState.QUARANTINED, "message": message[:1000]})
    worker = workers.get(tx, worker_id)
    host = worker.host if worker is not None else None
    webhook_outbox.put_quarantine(tx, worker_id, host, message[:1000], now)
    return True


def _ran_seconds(attempt: Attempt) -> float:
    assert attempt.finished_at is not None
    began = attempt.started_at or attempt.created_at
    return (attempt.finished_at - began).total_seconds()

"""Leases that ran out: found by the server's clock alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.jobs import LIVE_ATTEMPTS, AttemptState, Reason
from service.contract.workers import WorkerState
from service.control.ends import End, Patience, end_attempt
from service.domain.lifecycle import AttemptEvent, move_attempt
from service.store import attempts, history, jobs, workers
from service.store.attempts import StoredAttempt


@dataclass(frozen=True)
class Windows:
    """How long silence is borne."""

    start_seconds: float
    unreachable_seconds: float
    reassign_seconds: float


def sweep(
    tx: Connection, windows: Windows, *, patience: Callable[[], Patience], now: datetime
) -> int:
    """Close or mark every lease that ran out; how many changed."""
    # Workers before jobs before attempts, as a heartbeat locks them.
    for worker in workers.there(tx):
        silent = (now - worker.last_seen_at).total_seconds()
        if silent > windows.reassign_seconds:
            message = f"not heard of for {windows.reassign_seconds:g} s"
            workers.change(tx, worker.id, {"state": WorkerState.LOST, "message": message})
        elif silent > windows.unreachable_seconds and worker.state is WorkerState.ACTIVE:
            workers.change(tx, worker.id, {"state": WorkerState.UNREACHABLE})
    return sum(_judge(tx, found, windows, patience, now) for found in attempts.live(tx))


def is_due(tx: Connection, windows: Windows, now: datetime) -> bool:
    """Whether a sweep would find anything: asked first, since it only reads."""
    limits = {
        AttemptState.CLAIMED: windows.start_seconds,
        AttemptState.RUNNING: windows.unreachable_seconds,
        AttemptState.UNREACHABLE: windows.reassign_seconds,
    }
    late = any(
        now - found.heard_at > timedelta(seconds=limits[found.attempt.state])
        for found in attempts.live(tx)
    )
    silence = timedelta(seconds=windows.unreachable_seconds)
    return late or any(now - worker.last_seen_at > silence for worker in workers.there(tx))


def _judge(
    tx: Connection,
    seen: StoredAttempt,
    windows: Windows,
    patience: Callable[[], Patience],
    now: datetime,
) -> bool:
    job = jobs.get(tx, seen.attempt.job_id, lock=True)
    found = attempts.get(tx, seen.attempt.job_id, seen.attempt.number)
    assert job is not None
    assert found is not None
    attempt, silent = found.attempt, (now - found.heard_at).total_seconds()
    if attempt.state not in LIVE_ATTEMPTS:
        return False
    if attempt.state is AttemptState.CLAIMED:
        if silent <= windows.start_seconds:
            return False
        said = f"its worker did not start it within {windows.start_seconds:g} s"
        end = End(AttemptEvent.RELEASED, Reason.NOT_STARTED, said)
        end_attempt(tx, job, attempt, end, patience=patience(), now=now)
        return True
    if silent > windows.reassign_seconds:
        said = f"its worker was not heard of for {windows.reassign_seconds:g} s"
        end = End(AttemptEvent.LOST, Reason.WORKER_LOST, said)
        end_attempt(tx, job, attempt, end, patience=patience(), now=now)
        return True
    if attempt.state is AttemptState.RUNNING and silent > windows.unreachable_seconds:
        state = move_attempt(attempt.state, AttemptEvent.SILENT)
        attempts.change_live(tx, attempt.job_id, attempt.number, {"state": state})
        said = f"its worker was not heard of for {windows.unreachable_seconds:g} s"
        history.note(tx, attempt.job_id, attempt.number, "unreachable", said, now)
        return True
    return False

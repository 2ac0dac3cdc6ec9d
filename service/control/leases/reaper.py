"""Leases that ran out: found by the server's clock alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState, Reason
from service.contract.workers import WorkerState
from service.control.leases.transitions import AttemptEnd, BackoffPolicy, end_attempt
from service.domain.lifecycle import AttemptEvent, move_attempt
from service.store import attempts, history, jobs, resource_classes, workers
from service.store.attempts import StoredAttempt

MASS_FRACTION = 0.3
MASS_WORKERS = 3


@dataclass(frozen=True)
class LeaseTimeouts:
    """How long silence is borne."""

    start_seconds: float
    unreachable_seconds: float
    reassign_seconds: float


@dataclass(frozen=True)
class SweepResult:
    """How many attempts were closed or marked, of them how many were spared; who waits no more."""

    changed: int
    spared: int
    let_on: int


def sweep(
    tx: Connection,
    timeouts: LeaseTimeouts,
    *,
    backoff_policy: Callable[[], BackoffPolicy],
    now: datetime,
) -> SweepResult:
    """Close or mark every lease that ran out, unless so many have that the fault may be ours.

    Then each is given one more window: its worker may be there, and only not be heard. What was
    heard of ahead of `now`, by more than two servers' clocks differ, is heard of now: a clock that
    went back makes no lease longer.
    """
    live = attempts.live(tx)
    overdue = [found for found in live if _is_overdue(found, timeouts, now)]
    spare = _is_mass(overdue, live)
    # Workers before jobs before attempts, as a heartbeat locks them.
    kept = {f.attempt.worker_id for f in live if spare or not _is_silent(f, timeouts, now)}
    for worker in workers.there(tx):
        silent = (now - worker.last_seen_at).total_seconds()
        if silent < -timeouts.unreachable_seconds:
            workers.expire(tx, worker, {"last_seen_at": now})
        elif silent > timeouts.reassign_seconds and worker.id not in kept:
            message = f"not heard of for {timeouts.reassign_seconds:g} s"
            workers.expire(tx, worker, {"state": WorkerState.LOST, "message": message})
        elif silent > timeouts.unreachable_seconds and worker.state is WorkerState.ACTIVE:
            workers.expire(tx, worker, {"state": WorkerState.UNREACHABLE})
    changed = sum(_judge(tx, found, timeouts, backoff_policy, spare, now) for found in live)
    return SweepResult(changed, len(overdue) if spare else 0, resource_classes.let_on(tx, now))


def is_due(tx: Connection, timeouts: LeaseTimeouts, now: datetime) -> bool:
    """Whether a sweep would find anything: asked first, since it only reads."""
    limits = {
        AttemptState.CLAIMED: timeouts.start_seconds,
        AttemptState.RUNNING: timeouts.unreachable_seconds,
        AttemptState.UNREACHABLE: timeouts.reassign_seconds,
    }
    live, there = attempts.live(tx), workers.there(tx)
    silence = timedelta(seconds=timeouts.unreachable_seconds)
    late = any(
        now - found.heard_at > timedelta(seconds=limits[found.attempt.state]) for found in live
    )
    silent = any(now - worker.last_seen_at > silence for worker in there)
    heard = [found.heard_at for found in live] + [worker.last_seen_at for worker in there]
    ahead = any(at - now > silence for at in heard)
    return late or silent or ahead or resource_classes.due_again(tx, now) > 0


def _is_silent(found: StoredAttempt, timeouts: LeaseTimeouts, now: datetime) -> bool:
    return (now - found.heard_at).total_seconds() > timeouts.reassign_seconds


def _is_overdue(found: StoredAttempt, timeouts: LeaseTimeouts, now: datetime) -> bool:
    started = found.attempt.state is not AttemptState.CLAIMED
    return started and not found.spared and _is_silent(found, timeouts, now)


def _is_mass(overdue: list[StoredAttempt], live: list[StoredAttempt]) -> bool:
    # Of one or two workers nothing can be told: their death is what leases are for.
    enough = len({found.attempt.worker_id for found in overdue}) >= MASS_WORKERS
    return enough and len(overdue) > MASS_FRACTION * len(live)


def _judge(
    tx: Connection,
    seen: StoredAttempt,
    timeouts: LeaseTimeouts,
    backoff_policy: Callable[[], BackoffPolicy],
    spare: bool,
    now: datetime,
) -> bool:
    job = jobs.get(tx, seen.attempt.job_id, lock=True)
    found = attempts.get(tx, seen.attempt.job_id, seen.attempt.number)
    assert job is not None
    assert found is not None
    attempt, silent = found.attempt, (now - found.heard_at).total_seconds()
    if attempt.state not in LIVE_ATTEMPTS:
        return False
    if silent < -timeouts.unreachable_seconds:
        return attempts.change_live(tx, attempt.job_id, attempt.number, {"heard_at": now})
    if attempt.state is AttemptState.CLAIMED:
        if silent <= timeouts.start_seconds:
            return False
        said = f"its worker did not start it within {timeouts.start_seconds:g} s"
        end = AttemptEnd(AttemptEvent.RELEASED, Reason.NOT_STARTED, said)
        end_attempt(tx, job, attempt, end, backoff_policy=backoff_policy(), now=now)
        return True
    if spare and _is_overdue(found, timeouts, now):
        _spare(tx, attempt, timeouts, now)
        return True
    if silent > timeouts.reassign_seconds:
        said = f"its worker was not heard of for {timeouts.reassign_seconds:g} s"
        end = AttemptEnd(AttemptEvent.LOST, Reason.WORKER_LOST, said)
        end_attempt(tx, job, attempt, end, backoff_policy=backoff_policy(), now=now)
        return True
    if attempt.state is AttemptState.RUNNING and silent > timeouts.unreachable_seconds:
        state = move_attempt(attempt.state, AttemptEvent.SILENT)
        attempts.change_live(tx, attempt.job_id, attempt.number, {"state": state})
        said = f"its worker was not heard of for {timeouts.unreachable_seconds:g} s"
        history.note(tx, attempt.job_id, attempt.number, "unreachable", said, now)
        return True
    return False


def _spare(tx: Connection, attempt: Attempt, timeouts: LeaseTimeouts, now: datetime) -> None:
    silent = attempt.state is AttemptState.UNREACHABLE
    state = attempt.state if silent else move_attempt(attempt.state, AttemptEvent.SILENT)
    values = {"state": state, "heard_at": now, "spared": True}
    attempts.change_live(tx, attempt.job_id, attempt.number, values)
    said = (
        f"too many leases ran out at once for their workers to be at fault: "
        f"it has {timeouts.reassign_seconds:g} s more"
    )
    history.note(tx, attempt.job_id, attempt.number, "spared", said, now)

"""The reaper ends leases that have run out, by the server's clock alone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState, Reason
from service.contract.workers import WorkerState
from service.control.leases.transitions import AttemptEnd, BackoffPolicy, end_attempt
from service.domain.lifecycle import AttemptEvent, move_attempt
from service.store import attempts, contacts, history, jobs, resource_classes, workers
from service.store.attempts import StoredAttempt

MASS_FRACTION = 0.3
MASS_WORKERS = 3


@dataclass(frozen=True)
class LeaseTimeouts:
    """How long an attempt may be silent before it is released, unreachable or lost."""

    start_seconds: float
    unreachable_seconds: float
    reassign_seconds: float


@dataclass(frozen=True)
class SweepResult:
    """How many attempts were changed, of them how many spared, and how many backoffs are over."""

    changed: int
    spared: int
    ended_backoffs: int


def sweep(
    tx: Connection,
    timeouts: LeaseTimeouts,
    *,
    backoff_policy: Callable[[], BackoffPolicy],
    now: datetime,
) -> SweepResult:
    """End every attempt whose lease ran out, mark those whose worker is silent.

    If many leases ran out at once, the fault may be the server's: each is spared, for one more
    window. A time of renewal that is ahead of `now`, by more than the clocks of two servers differ,
    is set to `now`: a clock that was set back makes no lease longer.
    """
    live = attempts.live(tx)
    overdue = [each for each in live if _is_overdue(each, timeouts, now)]
    spare = _is_mass(overdue, live)
    # Workers before jobs before attempts, as a heartbeat locks them.
    with_lease = {s.attempt.worker_id for s in live if spare or not _is_silent(s, timeouts, now)}
    _sweep_workers(tx, with_lease, timeouts, now)
    changed = sum(_sweep_attempt(tx, each, timeouts, backoff_policy, spare, now) for each in live)
    ended_backoffs = resource_classes.clear_ended_backoffs(tx, now)
    return SweepResult(changed, len(overdue) if spare else 0, ended_backoffs)


def is_due(tx: Connection, timeouts: LeaseTimeouts, now: datetime) -> bool:
    """Whether a sweep would change anything: it only reads, so it is asked first."""
    limits = {
        AttemptState.CLAIMED: timeouts.start_seconds,
        AttemptState.RUNNING: timeouts.unreachable_seconds,
        AttemptState.UNREACHABLE: timeouts.reassign_seconds,
    }
    # Of thousands of attempts and workers, the times alone: this is asked every few seconds.
    renewals, seen = contacts.of_attempts(tx), contacts.of_workers(tx)
    silence = timedelta(seconds=timeouts.unreachable_seconds)
    late = any(
        now - span.first > timedelta(seconds=limits[state]) for state, span in renewals.items()
    )
    silent = seen is not None and now - seen.first > silence
    spans = [*renewals.values(), *([seen] if seen is not None else [])]
    ahead = any(span.last - now > silence for span in spans)
    return late or silent or ahead or resource_classes.count_ended_backoffs(tx, now) > 0


def _sweep_workers(
    tx: Connection, with_lease: Collection[str], timeouts: LeaseTimeouts, now: datetime
) -> None:
    for worker in workers.present(tx):
        silent = (now - worker.last_seen_at).total_seconds()
        if silent < -timeouts.unreachable_seconds:
            workers.expire(tx, worker, {"last_seen_at": now})
        elif silent > timeouts.reassign_seconds and worker.id not in with_lease:
            message = f"it sent nothing for {timeouts.reassign_seconds:g} s"
            workers.expire(tx, worker, {"state": WorkerState.LOST, "message": message})
        elif silent > timeouts.unreachable_seconds and worker.state is WorkerState.ACTIVE:
            workers.expire(tx, worker, {"state": WorkerState.UNREACHABLE})


def _is_silent(stored: StoredAttempt, timeouts: LeaseTimeouts, now: datetime) -> bool:
    return (now - stored.renewed_at).total_seconds() > timeouts.reassign_seconds


def _is_overdue(stored: StoredAttempt, timeouts: LeaseTimeouts, now: datetime) -> bool:
    started = stored.attempt.state is not AttemptState.CLAIMED
    return started and not stored.spared and _is_silent(stored, timeouts, now)


def _is_mass(overdue: list[StoredAttempt], live: list[StoredAttempt]) -> bool:
    # One or two silent workers are no sign of a fault of the server: leases are for their death.
    enough = len({each.attempt.worker_id for each in overdue}) >= MASS_WORKERS
    return enough and len(overdue) > MASS_FRACTION * len(live)


def _sweep_attempt(
    tx: Connection,
    listed: StoredAttempt,
    timeouts: LeaseTimeouts,
    backoff_policy: Callable[[], BackoffPolicy],
    spare: bool,
    now: datetime,
) -> bool:
    job = jobs.get(tx, listed.attempt.job_id, lock=True)
    stored = attempts.get(tx, listed.attempt.job_id, listed.attempt.number)
    if job is None or stored is None:
        # It ended and was deleted since it was listed.
        return False
    attempt, silent = stored.attempt, (now - stored.renewed_at).total_seconds()
    if attempt.state not in LIVE_ATTEMPTS:
        return False
    if silent < -timeouts.unreachable_seconds:
        return attempts.change_live(tx, attempt.job_id, attempt.number, {"renewed_at": now})
    if attempt.state is AttemptState.CLAIMED and silent <= timeouts.start_seconds:
        return False
    if spare and _is_overdue(stored, timeouts, now):
        _spare(tx, attempt, timeouts, now)
        return True
    end = _end(attempt, timeouts, silent)
    if end is not None:
        end_attempt(tx, job, attempt, end, backoff_policy=backoff_policy(), now=now)
        return True
    if attempt.state is AttemptState.RUNNING and silent > timeouts.unreachable_seconds:
        _mark_unreachable(tx, attempt, timeouts, now)
        return True
    return False


def _end(attempt: Attempt, timeouts: LeaseTimeouts, silent_seconds: float) -> AttemptEnd | None:
    if attempt.state is AttemptState.CLAIMED:
        message = f"its worker did not start it within {timeouts.start_seconds:g} s"
        return AttemptEnd(AttemptEvent.RELEASED, Reason.NOT_STARTED, message)
    if silent_seconds > timeouts.reassign_seconds:
        message = f"its worker sent nothing for {timeouts.reassign_seconds:g} s"
        return AttemptEnd(AttemptEvent.LOST, Reason.WORKER_LOST, message)
    return None


def _mark_unreachable(
    tx: Connection, attempt: Attempt, timeouts: LeaseTimeouts, now: datetime
) -> None:
    state = move_attempt(attempt.state, AttemptEvent.SILENT)
    attempts.change_live(tx, attempt.job_id, attempt.number, {"state": state})
    message = f"its worker sent nothing for {timeouts.unreachable_seconds:g} s"
    history.note(tx, attempt.job_id, attempt.number, "unreachable", message, now)


def _spare(tx: Connection, attempt: Attempt, timeouts: LeaseTimeouts, now: datetime) -> None:
    silent = attempt.state is AttemptState.UNREACHABLE
    state = attempt.state if silent else move_attempt(attempt.state, AttemptEvent.SILENT)
    values = {"state": state, "renewed_at": now, "spared": True}
    attempts.change_live(tx, attempt.job_id, attempt.number, values)
    message = (
        f"too many leases ran out at once for their workers to be at fault: "
        f"it has {timeouts.reassign_seconds:g} s more"
    )
    history.note(tx, attempt.job_id, attempt.number, "spared", message, now)

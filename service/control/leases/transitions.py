"""The end of an attempt, and what follows for its job, in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState, Job, JobState, Reason
from service.contract.time_spent import TimeSpent
from service.domain.errors import LeaseLost
from service.domain.lifecycle import AttemptEvent, JobEvent, move_attempt, move_job
from service.domain.retry import RetryCounters, RetryDecision, decide
from service.store import attempts, history, jobs
from service.store.job_rows import StoredJob
from service.store.measurements import measure

_UNCONFIRMED = (Reason.WORKER_LOST, Reason.NOT_STARTED)
"""Ends that the worker did not confirm: the attempt keeps them even if its job is cancelling."""


@dataclass(frozen=True)
class AttemptEnd:
    """How an attempt ended, as its worker or the reaper has it."""

    event: AttemptEvent
    reason: Reason
    message: str = ""
    result: dict[str, Any] | None = None
    time_spent: TimeSpent | None = None


@dataclass(frozen=True)
class BackoffPolicy:
    """How long a job waits before its next try; `jitter` in 0 to 1 is drawn for each end."""

    backoff_seconds: float
    jitter: float


def end_attempt(
    tx: Connection,
    job: StoredJob,
    attempt: Attempt,
    end: AttemptEnd,
    *,
    backoff_policy: BackoffPolicy,
    now: datetime,
) -> None:
    """Close a live attempt and requeue or end its job; raises LeaseLost if it is not live."""
    cancelled = job.job.state is JobState.CANCELLING and end.event is not AttemptEvent.SUCCEEDED
    event, reason = end.event, end.reason
    if cancelled and reason not in _UNCONFIRMED:
        event, reason = AttemptEvent.CANCELLED, Reason.CANCELLED
    shown = reason
    if reason is Reason.RELEASED:
        shown, end = _asked_release(tx, job.job, attempt, end)
    closed = {
        "state": move_attempt(attempt.state, event),
        "reason": shown,
        "message": end.message or None,
        "finished_at": now,
    }
    if not attempts.change_live(tx, attempt.job_id, attempt.number, closed):
        raise LeaseLost(attempt.job_id, attempt.number)
    # A newer worker may have reasons of its own: a label has a fixed set of values.
    known = closed["reason"] if closed["reason"] in list(Reason) else "other"
    measure(tx, "attempts_ended", 1, str(closed["state"]), str(known))
    progress = job.job.progress.with_time(end.time_spent)
    job = replace(job, job=job.job.model_copy(update={"progress": progress}))
    if end.event is AttemptEvent.SUCCEEDED:
        _succeed(tx, job, end, now)
    elif cancelled:
        message, extra = end.message or "cancelled", {"progress": progress.model_dump()}
        _finish(tx, job, JobEvent.CANCELLED, Reason.CANCELLED, message, now, extra)
    else:
        counters = RetryCounters(job.failures, job.worker_losses, job.job.spec.max_failures)
        # A newer worker may have a name of its own for giving a job back.
        is_release = end.event is AttemptEvent.RELEASED and reason not in list(Reason)
        decision = decide(
            Reason.RELEASED if is_release else reason,
            counters,
            backoff_seconds=backoff_policy.backoff_seconds,
            jitter=backoff_policy.jitter,
        )
        _apply_decision(tx, job, attempt, end, decision, now)


def _asked_release(
    tx: Connection, job: Job, attempt: Attempt, end: AttemptEnd
) -> tuple[Reason, AttemptEnd]:
    """The reason and the words of a release, which a pause or a preemption may have asked for."""
    if job.state is JobState.PAUSING:
        return Reason.PAUSED, end
    preempted_for = attempts.preempted_for(tx, attempt.job_id, attempt.number)
    if preempted_for is None:
        return Reason.RELEASED, end
    message = f"preempted for {preempted_for}: {end.message or 'released'}"
    return Reason.PREEMPTED, replace(end, message=message)


def fail_unreadable(tx: Connection, job: StoredJob, problem: str, now: datetime) -> None:
    """End a queued job whose spec this version cannot read; the caller has locked it."""
    _finish(tx, job, JobEvent.UNREADABLE, Reason.UNREADABLE_SPEC, problem, now)


def fail_waiting(
    tx: Connection, job: StoredJob, reason: Reason, message: str, now: datetime
) -> None:
    """End a queued search since a job that measured for it has failed; the caller has locked it."""
    _finish(tx, job, JobEvent.PART_FAILED, reason, message, now)


def _succeed(tx: Connection, job: StoredJob, end: AttemptEnd, now: datetime) -> None:
    progress = job.job.progress.model_dump() | {"fraction": 1.0, "eta_seconds": 0.0}
    progress["step"] = progress["total_steps"]
    extra = {"result": end.result, "progress": progress}
    _finish(tx, job, JobEvent.SUCCEEDED, Reason.FINISHED, "", now, extra)


def _apply_decision(
    tx: Connection,
    job: StoredJob,
    attempt: Attempt,
    end: AttemptEnd,
    decision: RetryDecision,
    now: datetime,
) -> None:
    why = end.message or end.reason.replace("_", " ")
    counters = {"failures": decision.failures, "worker_losses": decision.worker_losses}
    if not decision.retry:
        message = f"{why} ({decision.note})" if decision.note else why
        result = {"result": end.result} if end.result is not None else {}
        progress = {"progress": job.job.progress.model_dump()}
        extra = counters | result | progress
        _finish(tx, job, JobEvent.FAILED, decision.reason, message, now, extra)
        return
    if job.job.state is JobState.PAUSING:
        _pause(tx, job, attempt, end, counters, now)
        return
    not_before = now.fromtimestamp(now.timestamp() + decision.wait_seconds, tz=now.tzinfo)
    values = counters | {
        "state": move_job(job.job.state, JobEvent.REQUEUED),
        "not_before": not_before if decision.wait_seconds else None,
        "progress": job.job.progress.model_dump() | {"eta_seconds": None},
    }
    _change(tx, job, values)
    then = f"; next try in {decision.wait_seconds:.0f} s" if decision.wait_seconds else ""
    message = f"attempt {attempt.number} ended: {why}; back to the queue{then}"
    history.note(tx, job.job.id, attempt.number, "requeued", message, now)


def _pause(
    tx: Connection,
    job: StoredJob,
    attempt: Attempt,
    end: AttemptEnd,
    counters: dict[str, int],
    now: datetime,
) -> None:
    values = counters | {
        "state": move_job(job.job.state, JobEvent.PAUSED),
        "reason": Reason.PAUSED,
        "message": None,
        "progress": job.job.progress.model_dump() | {"eta_seconds": None},
    }
    _change(tx, job, values)
    ended = end.message or end.reason.replace("_", " ")
    history.note(tx, job.job.id, attempt.number, "paused", f"paused: {ended}", now)


def _finish(
    tx: Connection,
    job: StoredJob,
    event: JobEvent,
    reason: Reason,
    message: str,
    now: datetime,
    extra: dict[str, Any] | None = None,
) -> None:
    state = move_job(job.job.state, event)
    values = {"state": state, "reason": reason, "message": message or None, "finished_at": now}
    _change(tx, job, values | (extra or {}))
    sentence = f"{state}: {message}" if message else str(state)
    history.note(tx, job.job.id, job.job.attempt or None, state, sentence, now)


def _change(tx: Connection, job: StoredJob, values: dict[str, Any]) -> None:
    changed = jobs.change(tx, job.job.id, [job.job.state], values)
    assert changed, "the caller has locked the job"


def is_ended_by(event: AttemptEvent, reason: Reason, attempt: Attempt) -> bool:
    """Whether a report of this end has ended the attempt before: the report is a repeat."""
    lost = attempt.state is AttemptState.LOST or attempt.reason is Reason.NOT_STARTED
    if attempt.state in LIVE_ATTEMPTS or lost:
        return False
    # A cancel turned the reported end into its own; a pause and a preemption the release's reason.
    if attempt.state is AttemptState.CANCELLED:
        return event is not AttemptEvent.SUCCEEDED
    asked = reason == Reason.RELEASED and attempt.reason in (Reason.PAUSED, Reason.PREEMPTED)
    same = attempt.reason == reason or asked
    return same and attempt.state is move_attempt(AttemptState.RUNNING, event)

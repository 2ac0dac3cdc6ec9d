"""An attempt's begin and end: a claim, a report. Each may be sent twice."""

import hmac
from datetime import datetime

from sqlalchemy import Connection

from service.contract.agent import (
    BeatReply,
    Claim,
    ClaimRequest,
    Lease,
    Report,
)
from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState, JobState
from service.contract.workers import WorkerState
from service.control.leases.event_handlers import hear, lock_owners
from service.control.leases.heartbeats import hear_of
from service.control.leases.transitions import AttemptEnd, BackoffPolicy, end_attempt, is_ended_by
from service.control.scheduling.quarantine import hold_worker_of, quarantine_if_broken
from service.control.scheduling.scheduler import first_for, line_for
from service.domain.errors import Conflict, LeaseLost, NotFound
from service.domain.lifecycle import AttemptEvent, JobEvent, move_job
from service.domain.placement import Capacity
from service.store import attempts, checkpoints, history, jobs, workers
from service.store.attempts import StoredAttempt
from service.store.jobs import StoredJob

_RESUMABLE = 5


def claim(
    tx: Connection, request: ClaimRequest, *, token: str, lease: Lease, now: datetime
) -> Claim | None:
    """Give the worker the first job in line that it can run; the same request the same one.

    Raises NotFound for a worker that nobody knows (any more): it must register.
    """
    state = workers.seen(tx, request.worker_id, now)
    worker = workers.get(tx, request.worker_id)
    if worker is None or state in (WorkerState.LOST, WorkerState.GONE):
        raise NotFound("unknown_worker", f"worker {request.worker_id} must register (again)")
    earlier = attempts.claimed_by(tx, request.worker_id, request.request_id)
    if earlier is not None:
        live = earlier.attempt.state in LIVE_ATTEMPTS
        return _claim(tx, earlier.attempt, earlier.token, lease) if live else None
    if state is not WorkerState.ACTIVE:
        return None
    job = first_for(tx, Capacity(worker, request.free_slots, request.free_gpus), now)
    if job is None:
        return None
    attempt = Attempt(
        job_id=job.job.id,
        number=job.job.attempt + 1,
        worker_id=worker.id,
        state=AttemptState.CLAIMED,
        created_at=now,
    )
    attempts.add(tx, attempt, token=token, request_id=request.request_id)
    values = {
        "state": move_job(job.job.state, JobEvent.CLAIMED),
        "attempt": attempt.number,
        "started_at": job.job.started_at or now,
        "not_before": None,
    }
    given = jobs.change(tx, job.job.id, [JobState.QUEUED], values)
    assert given, "a job that is held in the line is queued"
    history.note(tx, job.job.id, attempt.number, "claimed", f"claimed by {worker.host}", now)
    return _claim(tx, attempt, token, lease)


def is_anything_queued(tx: Connection, request: ClaimRequest, now: datetime) -> bool:
    """Whether a claim could find something: asked first by those who wait, since it only reads."""
    worker = workers.get(tx, request.worker_id)
    if worker is None:
        return True
    room = Capacity(worker, request.free_slots, request.free_gpus)
    return next(line_for(tx, room, now), None) is not None


def report(
    tx: Connection,
    said: Report,
    *,
    backoff_policy: BackoffPolicy,
    quick_seconds: float,
    now: datetime,
) -> BeatReply:
    """End an attempt; a repeat changes nothing. Raises LeaseLost if it ended some other way.

    A worker on which one job after the other fails within `quick_seconds` is quarantined.
    """
    if said.outcome == "failed":
        hold_worker_of(tx, said.job_id, said.attempt)
    lock_owners(tx, [said.job_id], said.events)
    job, found = _own(tx, said.job_id, said.attempt, said.token)
    if is_ended_by(AttemptEvent(said.outcome), said.reason, found.attempt):
        return BeatReply(job_id=said.job_id, attempt=said.attempt, acked_seq=found.acked_seq)
    if said.outcome == "cancelled" and job.job.state is not JobState.CANCELLING:
        raise Conflict("not_cancelled", f"nobody asked to cancel {said.job_id}: report released")
    held = attempts.hold(tx, [said.job_id]).get(said.job_id)
    if held is None or held.number != said.attempt:
        raise LeaseLost(said.job_id, said.attempt)
    hear_of(tx, [held], now)
    acked_seq = hear(tx, job.job, held, said.events, now)
    # The events may have changed the job: its budgets, its progress.
    job, found = _own(tx, said.job_id, said.attempt, said.token)
    end = AttemptEnd(AttemptEvent(said.outcome), said.reason, said.message, said.result)
    end_attempt(tx, job, found.attempt, end, backoff_policy=backoff_policy, now=now)
    if said.outcome == "failed":
        quarantine_if_broken(tx, found.attempt.worker_id, quick_seconds)
    return BeatReply(job_id=said.job_id, attempt=said.attempt, acked_seq=acked_seq)


def _own(tx: Connection, job_id: str, number: int, token: str) -> tuple[StoredJob, StoredAttempt]:
    # Always the job first, then its attempt: two transactions must not hold one each.
    job = jobs.get(tx, job_id, lock=True)
    found = attempts.get(tx, job_id, number)
    if job is None or found is None:
        raise LeaseLost(job_id, number)
    if not hmac.compare_digest(found.token.encode(), token.encode()):
        raise LeaseLost(job_id, number)
    return job, found


def _claim(tx: Connection, attempt: Attempt, token: str, lease: Lease) -> Claim:
    job = jobs.get(tx, attempt.job_id)
    assert job is not None
    source = job.source_checkpoint
    resume = [c for c in checkpoints.published_of(tx, attempt.job_id) if c.phase != "final"]
    return Claim(
        job_id=attempt.job_id,
        attempt=attempt.number,
        token=token,
        spec=job.job.spec,
        lease=lease,
        resume=tuple(resume[:_RESUMABLE]),
        weights=checkpoints.get(tx, source) if source is not None else None,
    )

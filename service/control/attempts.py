"""The agents' verbs: claim, heartbeat, report. Each may be sent twice."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from service.contract.agent import (
    Beat,
    BeatReply,
    Claim,
    ClaimRequest,
    Directive,
    Heartbeat,
    HeartbeatReply,
    Lease,
    Purge,
    Report,
    ReportedEvent,
)
from service.contract.jobs import LIVE_ATTEMPTS, Attempt, AttemptState, JobState
from service.contract.workers import WorkerState
from service.control.ends import End, Patience, end_attempt, is_reported
from service.control.quarantine import hold_worker_of, quarantine_if_broken
from service.control.queue import first_for, line_for
from service.control.records import record
from service.domain.errors import Conflict, LeaseLost, NotFound
from service.domain.lifecycle import AttemptEvent, JobEvent, move_attempt, move_job
from service.domain.placement import Room
from service.store import attempts, checkpoints, history, jobs, workers
from service.store.attempts import StoredAttempt
from service.store.jobs import StoredJob

_RESUMABLE = 5


@dataclass(frozen=True)
class Fenced:
    """A live attempt whose token was shown, with its job; both are held by the transaction."""

    job: StoredJob
    found: StoredAttempt

    @property
    def attempt(self) -> Attempt:
        """The attempt without its secrets."""
        return self.found.attempt


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
    job = first_for(tx, Room(worker, request.free_slots, request.free_gpus), now)
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
    assert jobs.change(tx, job.job.id, [JobState.QUEUED], values)
    history.note(tx, job.job.id, attempt.number, "claimed", f"claimed by {worker.host}", now)
    return _claim(tx, attempt, token, lease)


def is_anything_queued(tx: Connection, request: ClaimRequest, now: datetime) -> bool:
    """Whether a claim could find something: asked first by those who wait, since it only reads."""
    worker = workers.get(tx, request.worker_id)
    if worker is None:
        return True
    room = Room(worker, request.free_slots, request.free_gpus)
    return next(line_for(tx, room, now), None) is not None


def heartbeat(tx: Connection, said: Heartbeat, now: datetime) -> HeartbeatReply:
    """One agent's beat for all its attempts; raises NotFound for a worker that nobody knows."""
    state = workers.seen(tx, said.worker_id, now)
    if state is None:
        raise NotFound("unknown_worker", f"worker {said.worker_id} must register (again)")
    # In the order in which everybody locks jobs: two transactions must not hold one each.
    beats = sorted(said.beats, key=lambda beat: beat.job_id)
    replies = tuple(_beat(tx, beat, now) for beat in beats)
    unwanted = state in (WorkerState.DRAINING, WorkerState.QUARANTINED)
    return HeartbeatReply(replies=replies, drain=unwanted)


def report(
    tx: Connection, said: Report, *, patience: Patience, quick_seconds: float, now: datetime
) -> BeatReply:
    """End an attempt; a repeat changes nothing. Raises LeaseLost if it ended some other way.

    A worker on which one job after the other fails within `quick_seconds` is quarantined.
    """
    if said.outcome == "failed":
        hold_worker_of(tx, said.job_id, said.attempt)
    job, found = _own(tx, said.job_id, said.attempt, said.token)
    if is_reported(found.attempt.state, found.attempt.reason):
        return _reply(tx, job, said.attempt, found.acked_seq)
    if said.outcome == "cancelled" and job.job.state is not JobState.CANCELLING:
        raise Conflict("not_cancelled", f"nobody asked to cancel {said.job_id}: report released")
    fenced = _fenced(job, found)
    acked = _hear(tx, fenced, said.events, now)
    # The events may have changed the job: its budgets, its progress.
    job, found = _own(tx, said.job_id, said.attempt, said.token)
    end = End(AttemptEvent(said.outcome), said.reason, said.message, said.result)
    end_attempt(tx, job, found.attempt, end, patience=patience, now=now)
    if said.outcome == "failed":
        quarantine_if_broken(tx, found.attempt.worker_id, quick_seconds)
    ended = jobs.get(tx, said.job_id)
    assert ended is not None
    return _reply(tx, ended, said.attempt, acked)


def _beat(tx: Connection, said: Beat, now: datetime) -> BeatReply:
    try:
        fenced = _fenced(*_own(tx, said.job_id, said.attempt, said.token))
    except LeaseLost:
        return BeatReply(job_id=said.job_id, attempt=said.attempt, lease_lost=True)
    checkpoints.mark_purged(tx, said.job_id, said.purged)
    acked = _hear(tx, fenced, said.events, now)
    # Held since it was read, and no event changes what an attempt is told to do.
    return _reply(tx, fenced.job, said.attempt, acked)


def _own(tx: Connection, job_id: str, number: int, token: str) -> tuple[StoredJob, StoredAttempt]:
    # Always the job first, then its attempt: two transactions must not hold one each.
    job = jobs.get(tx, job_id, lock=True)
    found = attempts.get(tx, job_id, number)
    if job is None or found is None:
        raise LeaseLost(job_id, number)
    if not hmac.compare_digest(found.token.encode(), token.encode()):
        raise LeaseLost(job_id, number)
    return job, found


def _fenced(job: StoredJob, found: StoredAttempt) -> Fenced:
    if found.attempt.state not in LIVE_ATTEMPTS:
        raise LeaseLost(found.attempt.job_id, found.attempt.number)
    return Fenced(job, found)


def _hear(tx: Connection, fenced: Fenced, events: tuple[ReportedEvent, ...], now: datetime) -> int:
    attempt, acked = fenced.attempt, fenced.found.acked_seq
    unheard = {event.seq: event for event in events if event.seq > acked}
    fresh = [unheard[seq] for seq in sorted(unheard)]
    acked = fresh[-1].seq if fresh else acked
    values = {
        "state": move_attempt(attempt.state, AttemptEvent.HEARD),
        "started_at": attempt.started_at or now,
        "heard_at": now,
        "acked_seq": acked,
        "spared": False,
    }
    if not attempts.change_live(tx, attempt.job_id, attempt.number, values):
        raise LeaseLost(attempt.job_id, attempt.number)
    if attempt.state is AttemptState.UNREACHABLE:
        history.note(tx, attempt.job_id, attempt.number, "reachable", "its worker is back", now)
    record(tx, fenced.job.job, attempt, fresh, now)
    return acked


def _reply(tx: Connection, job: StoredJob, number: int, acked: int) -> BeatReply:
    purging = checkpoints.in_state(tx, job.job.id, "purging")
    return BeatReply(
        job_id=job.job.id,
        attempt=number,
        directive=_directive(job),
        acked_seq=acked,
        purge=tuple(Purge(checkpoint_id=c.id, path=c.path) for c in purging),
    )


def _directive(job: StoredJob) -> Directive:
    if job.job.state is JobState.PAUSING:
        return "checkpoint_and_stop"
    if job.job.state is not JobState.CANCELLING:
        return "continue"
    return "stop" if job.stop_mode == "now" else "checkpoint_and_stop"


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

"""An agent's heartbeat for all its attempts: renews leases, applies events, gives directives."""

import hmac
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from service.contract.agent import Beat, BeatReply, Heartbeat, HeartbeatReply
from service.contract.jobs import AttemptState
from service.contract.unreadable_events import MOST_EVENTS
from service.contract.workers import WorkerState
from service.control.leases.directives import beat_reply
from service.control.leases.event_handlers import apply_events, lock_jobs
from service.domain.errors import NotFound
from service.domain.lifecycle import AttemptEvent, move_attempt
from service.store import checkpoints, history, jobs, leases, workers
from service.store.leases import LiveAttempt
from service.store.measurements import measure


def heartbeat(tx: Connection, request: Heartbeat, now: datetime) -> HeartbeatReply:
    """Renew the leases of an agent's attempts; raises NotFound for a worker that is not registered.

    An attempt without events costs no statement of its own, however many the agent runs.
    """
    state = workers.record_contact(tx, request.worker_id, now)
    if state is None:
        raise NotFound("unknown_worker", f"worker {request.worker_id} must register (again)")
    measure(tx, "heartbeats", 1)
    beats = _first_events(request.beats)
    job_ids = [beat.job_id for beat in beats]
    lock_jobs(tx, job_ids, [event for beat in beats for event in beat.events])
    live = leases.lock_live(tx, job_ids)
    renewed = {i: live[b.job_id] for i, b in enumerate(beats) if _has_lease(b, live)}
    renew_leases(tx, {attempt.job_id: attempt for attempt in renewed.values()}.values(), now)
    acked = {i: _apply_beat(tx, beats[i], each, now) for i, each in renewed.items()}
    # Read after the beats are applied: they may confirm removals, and publish.
    purging = checkpoints.purging_of(tx, [attempt.job_id for attempt in renewed.values()])
    replies = tuple(
        beat_reply(renewed[i], acked[i], purging.get(beat.job_id, ()))
        if i in renewed
        else BeatReply(job_id=beat.job_id, attempt=beat.attempt, lease_lost=True)
        for i, beat in enumerate(beats)
    )
    drain = state in (WorkerState.DRAINING, WorkerState.QUARANTINED)
    return HeartbeatReply(replies=replies, drain=drain)


def renew_leases(tx: Connection, locked: Collection[LiveAttempt], now: datetime) -> None:
    """Renew the leases of live attempts, which the caller has locked."""
    for attempt in locked:
        assert move_attempt(attempt.state, AttemptEvent.RENEWED) is AttemptState.RUNNING
        if attempt.state is AttemptState.UNREACHABLE:
            history.note(tx, attempt.job_id, attempt.number, "reachable", "its worker is back", now)
    leases.renew(tx, [attempt.job_id for attempt in locked], now)


def _first_events(beats: Sequence[Beat]) -> list[Beat]:
    # One transaction writes at a time: what is not acknowledged comes with the next heartbeat.
    talking = sum(bool(beat.events) for beat in beats)
    share = max(MOST_EVENTS // max(talking, 1), 1)
    return [beat.model_copy(update={"events": beat.events[:share]}) for beat in beats]


def _has_lease(beat: Beat, live: dict[str, LiveAttempt]) -> bool:
    attempt = live.get(beat.job_id)
    if attempt is None or attempt.number != beat.attempt:
        return False
    return hmac.compare_digest(attempt.token.encode(), beat.token.encode())


def _apply_beat(tx: Connection, beat: Beat, attempt: LiveAttempt, now: datetime) -> int:
    checkpoints.mark_purged(tx, beat.job_id, beat.purged)
    if all(event.seq <= attempt.acked_seq for event in beat.events):
        return attempt.acked_seq
    job = jobs.get(tx, beat.job_id)
    assert job is not None
    return apply_events(tx, job.job, attempt, beat.events, now)

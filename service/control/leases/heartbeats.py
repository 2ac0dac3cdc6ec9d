"""An agent's beat for all its attempts: leases are renewed, news is heard, orders are given."""

import hmac
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from service.contract.agent import Beat, BeatReply, Heartbeat, HeartbeatReply
from service.contract.jobs import AttemptState
from service.contract.workers import WorkerState
from service.control.leases.directives import order
from service.control.leases.event_handlers import hear, lock_owners
from service.domain.errors import NotFound
from service.domain.lifecycle import AttemptEvent, move_attempt
from service.store import attempts, checkpoints, history, jobs, workers
from service.store.attempts import HeldAttempt


def heartbeat(tx: Connection, said: Heartbeat, now: datetime) -> HeartbeatReply:
    """One agent's beat for all its attempts; raises NotFound for a worker that nobody knows.

    An attempt without news costs no statement of its own, however many the agent runs.
    """
    state = workers.seen(tx, said.worker_id, now)
    if state is None:
        raise NotFound("unknown_worker", f"worker {said.worker_id} must register (again)")
    job_ids = [beat.job_id for beat in said.beats]
    lock_owners(tx, job_ids, [event for beat in said.beats for event in beat.events])
    live = attempts.hold(tx, job_ids)
    held = {i: live[beat.job_id] for i, beat in enumerate(said.beats) if _shows(beat, live)}
    hear_of(tx, {attempt.job_id: attempt for attempt in held.values()}.values(), now)
    acked = {i: _hear(tx, said.beats[i], attempt, now) for i, attempt in held.items()}
    # Looked up after what the beats confirm and publish.
    purging = checkpoints.purging_of(tx, [attempt.job_id for attempt in held.values()])
    replies = tuple(
        order(held[i], acked[i], purging.get(beat.job_id, ()))
        if i in held
        else BeatReply(job_id=beat.job_id, attempt=beat.attempt, lease_lost=True)
        for i, beat in enumerate(said.beats)
    )
    unwanted = state in (WorkerState.DRAINING, WorkerState.QUARANTINED)
    return HeartbeatReply(replies=replies, drain=unwanted)


def hear_of(tx: Connection, held: Collection[HeldAttempt], now: datetime) -> None:
    """Note that live attempts, which the caller has locked, were heard of."""
    for attempt in held:
        assert move_attempt(attempt.state, AttemptEvent.HEARD) is AttemptState.RUNNING
        if attempt.state is AttemptState.UNREACHABLE:
            history.note(tx, attempt.job_id, attempt.number, "reachable", "its worker is back", now)
    attempts.renew(tx, [attempt.job_id for attempt in held], now)


def _shows(beat: Beat, live: dict[str, HeldAttempt]) -> bool:
    attempt = live.get(beat.job_id)
    if attempt is None or attempt.number != beat.attempt:
        return False
    return hmac.compare_digest(attempt.token.encode(), beat.token.encode())


def _hear(tx: Connection, beat: Beat, attempt: HeldAttempt, now: datetime) -> int:
    checkpoints.mark_purged(tx, beat.job_id, beat.purged)
    if all(event.seq <= attempt.acked_seq for event in beat.events):
        return attempt.acked_seq
    job = jobs.get(tx, beat.job_id)
    assert job is not None
    return hear(tx, job.job, attempt, beat.events, now)

from itertools import product

import pytest

from service.contract.jobs import ENDED_JOBS, LIVE_ATTEMPTS, AttemptState, JobState
from service.domain.lifecycle import (
    AttemptEvent,
    IllegalMove,
    JobEvent,
    move_attempt,
    move_job,
)

JOB_MOVES = {
    ("queued", "claimed"): "running",
    ("queued", "cancel_requested"): "cancelled",
    ("queued", "unreadable"): "failed",
    ("queued", "part_failed"): "failed",
    ("running", "requeued"): "queued",
    ("running", "cancel_requested"): "cancelling",
    ("running", "succeeded"): "succeeded",
    ("running", "failed"): "failed",
    ("queued", "pause_requested"): "paused",
    ("running", "pause_requested"): "pausing",
    ("pausing", "paused"): "paused",
    ("pausing", "resumed"): "running",
    ("pausing", "cancel_requested"): "cancelling",
    ("pausing", "succeeded"): "succeeded",
    ("pausing", "failed"): "failed",
    ("paused", "resumed"): "queued",
    ("paused", "cancel_requested"): "cancelled",
    ("cancelling", "succeeded"): "succeeded",
    ("cancelling", "cancelled"): "cancelled",
}
ENDS = ("succeeded", "failed", "lost", "released", "cancelled")
ATTEMPT_MOVES = {
    ("claimed", "renewed"): "running",
    ("running", "renewed"): "running",
    ("running", "silent"): "unreachable",
    ("unreachable", "renewed"): "running",
} | {(live, end): end for live in LIVE_ATTEMPTS for end in ENDS}


@pytest.mark.parametrize(("state", "event"), JOB_MOVES)
def test_a_job_makes_every_legal_move(state: str, event: str) -> None:
    assert move_job(JobState(state), JobEvent(event)) == JOB_MOVES[state, event]


@pytest.mark.parametrize(
    ("state", "event"), sorted(set(product(JobState, JobEvent)) - set(JOB_MOVES))
)
def test_a_job_makes_no_other_move(state: JobState, event: JobEvent) -> None:
    with pytest.raises(IllegalMove, match=f"a {state} job cannot be {event}"):
        move_job(state, event)


@pytest.mark.parametrize(("state", "event"), sorted(ATTEMPT_MOVES))
def test_an_attempt_makes_every_legal_move(state: str, event: str) -> None:
    moved = move_attempt(AttemptState(state), AttemptEvent(event))
    assert moved == ATTEMPT_MOVES[state, event]


@pytest.mark.parametrize(
    ("state", "event"), sorted(set(product(AttemptState, AttemptEvent)) - set(ATTEMPT_MOVES))
)
def test_an_attempt_makes_no_other_move(state: AttemptState, event: AttemptEvent) -> None:
    with pytest.raises(IllegalMove, match=f"a {state} attempt cannot be {event}"):
        move_attempt(state, event)


def test_no_move_leaves_an_end() -> None:
    assert not [state for state, _ in JOB_MOVES if state in ENDED_JOBS]
    assert not [state for state, _ in ATTEMPT_MOVES if state not in LIVE_ATTEMPTS]

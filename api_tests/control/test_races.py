"""Two at once, each held at the point where the other is most in the way.

A party goes on to its point, and waits there until the other has begun; whoever holds the database
first, one of the two orders comes out, and nothing in between.
"""

from collections.abc import Callable
from typing import Any

import pytest

from api_tests.support.checkpoint_events import saved
from api_tests.support.control_agent import Agent, an_event, beat_of, say_gone
from api_tests.support.stopped_transaction import POINTS, StoppedTransaction
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import LIVE_ATTEMPTS, AttemptState, JobState
from service.control.jobs import edits
from service.domain.errors import Conflict, LeaseLost
from service.domain.limits import Limit
from service.store import limits

NewAgent = Callable[..., Agent]


@pytest.fixture(params=POINTS)
def at(request: pytest.FixtureRequest) -> str:
    """Where the first party is held."""
    return str(request.param)


def live_of(control_plane: ControlPlane, job: Any) -> list[int]:
    return [a.number for a in control_plane.attempts_of(job) if a.state in LIVE_ATTEMPTS]


def test_a_report_against_a_reap(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(301)
    reported, reaped = StoppedTransaction(control_plane.database, at).race(
        lambda: agent.report(claim), control_plane.sweep
    )
    ended, (attempt,) = control_plane.job(job), control_plane.attempts_of(job)
    if isinstance(reported, LeaseLost):
        assert (ended.state, attempt.state, reaped) == ("queued", "lost", 1)
    else:
        assert (ended.state, attempt.state, reaped) == ("succeeded", "succeeded", 0)


def test_a_reap_against_a_report(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(301)
    reaped, reported = StoppedTransaction(control_plane.database, at).race(
        control_plane.sweep, lambda: agent.report(claim)
    )
    assert (control_plane.job(job).state is JobState.QUEUED) == isinstance(reported, LeaseLost)
    assert reaped == isinstance(reported, LeaseLost)


def test_a_reap_against_the_beat_of_a_worker_that_is_back(
    control_plane: ControlPlane, agent: Agent, at: str
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(301)
    _, reply = StoppedTransaction(control_plane.database, at).race(
        control_plane.sweep, lambda: agent.beat(claim)
    )
    assert reply.lease_lost == (control_plane.job(job).state is JobState.QUEUED)
    assert live_of(control_plane, job) == ([] if reply.lease_lost else [1])


def test_a_sweep_against_the_beat_of_a_worker_that_is_well(
    control_plane: ControlPlane, new_agent: NewAgent, at: str
) -> None:
    well, silent = new_agent(), new_agent()
    job, lost = control_plane.submit(), control_plane.submit()
    claim = well.claimed()
    silent.claimed()
    control_plane.later(301)
    well.beat(claim)
    swept, reply = StoppedTransaction(control_plane.database, at).race(
        control_plane.sweep, lambda: well.beat(claim)
    )
    assert (swept, reply.lease_lost) == (1, False)
    assert [control_plane.job(each).state for each in (job, lost)] == [
        JobState.RUNNING,
        JobState.QUEUED,
    ]


def test_two_reapers_charge_a_loss_once(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    agent.claimed()
    control_plane.later(301)
    changed = StoppedTransaction(control_plane.database, at).race(
        control_plane.sweep, control_plane.sweep
    )
    assert sorted(changed) == [0, 1]
    assert len(control_plane.events_of(job, "requeued")) == 1
    assert control_plane.job(job).state is JobState.QUEUED


def test_a_cancel_against_a_finish(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    cancelled, _ = StoppedTransaction(control_plane.database, at).race(
        lambda: control_plane.cancel(job), lambda: agent.report(claim)
    )
    assert control_plane.job(job).state is JobState.SUCCEEDED
    assert isinstance(cancelled, Conflict) or cancelled.state is JobState.CANCELLING


def test_a_finish_against_a_cancel(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    reply, _ = StoppedTransaction(control_plane.database, at).race(
        lambda: agent.report(claim), lambda: control_plane.cancel(job)
    )
    assert not isinstance(reply, Exception)
    assert control_plane.job(job).state is JobState.SUCCEEDED


def test_a_claim_against_a_cancel(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    claim, cancelled = StoppedTransaction(control_plane.database, at).race(
        agent.claim, lambda: control_plane.cancel(job)
    )
    if claim is None:
        assert control_plane.job(job).state is JobState.CANCELLED
    else:
        assert cancelled.state is JobState.CANCELLING
        assert agent.beat(claim).directive == "checkpoint_and_stop"


def test_a_cancel_against_a_claim(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    _, claim = StoppedTransaction(control_plane.database, at).race(
        lambda: control_plane.cancel(job), agent.claim
    )
    expected = JobState.CANCELLED if claim is None else JobState.CANCELLING
    assert control_plane.job(job).state is expected


def test_a_pause_against_a_claim(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    _, claim = StoppedTransaction(control_plane.database, at).race(
        lambda: control_plane.pause(job), agent.claim
    )
    expected = JobState.PAUSED if claim is None else JobState.PAUSING
    assert control_plane.job(job).state is expected
    assert live_of(control_plane, job) == ([] if claim is None else [1])


def test_two_claims_for_one_job(control_plane: ControlPlane, new_agent: NewAgent, at: str) -> None:
    job, one, two = control_plane.submit(), new_agent(), new_agent()
    claims = StoppedTransaction(control_plane.database, at).race(one.claim, two.claim)
    taken = [claim for claim in claims if claim is not None]
    assert [(claim.job_id, claim.attempt) for claim in taken] == [(job.id, 1)]
    assert len(control_plane.attempts_of(job)) == 1


def test_the_same_claim_sent_twice_at_once(
    control_plane: ControlPlane, agent: Agent, at: str
) -> None:
    jobs = [control_plane.submit(), control_plane.submit()]
    claims = StoppedTransaction(control_plane.database, at).race(
        lambda: agent.claim("r"), lambda: agent.claim("r")
    )
    assert claims[0] == claims[1]
    assert [control_plane.job(job).state for job in jobs] == [JobState.RUNNING, JobState.QUEUED]


def test_a_goodbye_against_a_report(control_plane: ControlPlane, agent: Agent, at: str) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    _, reported = StoppedTransaction(control_plane.database, at).race(
        lambda: say_gone(control_plane, agent), lambda: agent.report(claim)
    )
    (attempt,) = control_plane.attempts_of(job)
    expected = AttemptState.LOST if isinstance(reported, LeaseLost) else AttemptState.SUCCEEDED
    assert attempt.state is expected


@pytest.mark.parametrize("ends", ["a goodbye", "a sweep"])
def test_a_worker_is_ended_although_its_job_has_ended_and_is_deleted_meanwhile(
    control_plane: ControlPlane, agent: Agent, at: str, ends: str
) -> None:
    control_plane.submit()
    claim = agent.claimed()
    control_plane.later(301)

    def end_and_delete() -> None:
        with control_plane.write() as tx:
            agent.report_in(tx, claim)
            edits.delete(tx, claim.job_id)

    _, result = StoppedTransaction(control_plane.database, at).race(
        end_and_delete,
        control_plane.sweep if ends == "a sweep" else lambda: say_gone(control_plane, agent),
    )
    assert result in (None, 0, 1)


def test_two_limited_claims_at_once_stay_within_the_limit(
    control_plane: ControlPlane, new_agent: NewAgent, at: str
) -> None:
    with control_plane.write() as tx:
        limits.put(tx, [Limit("team", "vision", 1)])
    for _ in range(2):
        control_plane.submit(labels={"team": "vision"})
    claims = StoppedTransaction(control_plane.database, at).race(
        new_agent().claim, new_agent().claim
    )
    assert sum(claim is not None for claim in claims) == 1


def test_a_damaged_source_against_a_beat_for_both_jobs(
    control_plane: ControlPlane, new_agent: NewAgent, at: str
) -> None:
    one, two = new_agent(), new_agent()
    trained = control_plane.submit()
    training = one.claimed()
    one.beat(training, *saved(trained, (1,)))
    source = control_plane.checkpoints_of(trained)[1].id
    control_plane.submit(kind="eval", checkpoint={"id": source})
    evaluation = one.claimed()
    damage = an_event(1, "damaged", checkpoint_id=source, problems=["a digest differs"])
    both = [beat_of(training), beat_of(evaluation)]
    first_reply, replies = StoppedTransaction(control_plane.database, at).race(
        lambda: one.beat(evaluation, damage), lambda: two.beat_for(*both)
    )
    assert (first_reply.acked_seq, first_reply.lease_lost) == (1, False)
    assert not any(reply.lease_lost for reply in replies)
    assert control_plane.job(trained).latest_checkpoint is None

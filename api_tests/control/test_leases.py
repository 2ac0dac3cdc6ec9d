from collections.abc import Callable

import pytest

from api_tests.support.use_cases import WINDOWS, Agent, Plane, an_event, say_gone
from service.contract.jobs import AttemptState, JobState
from service.contract.workers import WorkerState
from service.control.leases import reaper
from service.domain.errors import LeaseLost, NotFound
from service.store import attempts
from service.store import workers as store

NewAgent = Callable[..., Agent]


def test_the_first_beat_says_that_the_claim_arrived(plane: Plane, agent: Agent) -> None:
    job = plane.submit()
    claim = agent.claim()
    assert claim is not None
    plane.later(5)
    reply = agent.beat(claim)
    assert (reply.lease_lost, reply.directive, reply.acked_seq) == (False, "continue", 0)
    (attempt,) = plane.attempts_of(job)
    assert (attempt.state, attempt.started_at) == (AttemptState.RUNNING, plane.now)


def test_a_silent_worker_is_unreachable_but_keeps_its_job(plane: Plane, agent: Agent) -> None:
    job = plane.submit()
    agent.claimed()
    plane.later(60)
    assert plane.sweep() == 0
    plane.later(1)
    assert plane.sweep() == 1
    assert plane.attempts_of(job)[0].state is AttemptState.UNREACHABLE
    assert plane.job(job).state is JobState.RUNNING
    assert worker_state(plane, agent) is WorkerState.UNREACHABLE
    assert len(plane.events_of(job, "unreachable")) == 1
    assert plane.sweep() == 0


def test_a_worker_that_is_back_in_time_goes_on(plane: Plane, agent: Agent) -> None:
    job = plane.submit()
    claim = agent.claimed()
    plane.later(61)
    plane.sweep()
    plane.later(200)
    assert not agent.beat(claim, an_event(1, "note", message="still here")).lease_lost
    assert plane.attempts_of(job)[0].state is AttemptState.RUNNING
    assert worker_state(plane, agent) is WorkerState.ACTIVE
    assert [event.message for event in plane.events_of(job, "note")] == ["still here"]


def test_a_worker_silent_for_too_long_loses_its_job_to_another(
    plane: Plane, new_agent: NewAgent
) -> None:
    job, dead, other = plane.submit(), new_agent(), new_agent()
    claim = dead.claimed()
    plane.later(300)
    plane.sweep()
    assert plane.job(job).state is JobState.RUNNING
    plane.later(1)
    plane.sweep()
    assert plane.job(job).state is JobState.QUEUED
    assert plane.attempts_of(job)[0].reason == "worker_lost"
    other.register()
    again = other.claimed()
    assert (again.job_id, again.attempt) == (job.id, 2)
    assert dead.beat(claim, an_event(1, "note", message="a zombie")).lease_lost
    assert plane.events_of(job, "note") == []


def test_a_report_after_the_job_was_given_away_is_a_lost_lease(plane: Plane, agent: Agent) -> None:
    job = plane.submit()
    claim = agent.claimed()
    plane.later(301)
    plane.sweep()
    with pytest.raises(LeaseLost):
        agent.report(claim)
    assert plane.job(job).state is JobState.QUEUED


def test_a_report_after_a_cancelled_jobs_worker_was_given_up_is_a_lost_lease(
    plane: Plane, agent: Agent
) -> None:
    job = plane.submit()
    claim = agent.claimed()
    plane.cancel(job)
    plane.later(301)
    plane.sweep()
    assert plane.job(job).state is JobState.CANCELLED
    assert plane.attempts_of(job)[0].state is AttemptState.LOST
    with pytest.raises(LeaseLost):
        agent.report(claim)


@pytest.mark.parametrize("token", ["another", "", "clé"])
def test_a_wrong_token_is_a_lost_lease(plane: Plane, agent: Agent, token: str) -> None:
    job = plane.submit()
    forged = agent.claimed().model_copy(update={"token": token})
    assert agent.beat(forged, an_event(1, "note", message="forged")).lease_lost
    with pytest.raises(LeaseLost):
        agent.report(forged)
    assert plane.events_of(job, "note") == []


def test_the_attempt_before_this_one_is_a_lost_lease(plane: Plane, agent: Agent) -> None:
    plane.submit()
    old = agent.claimed()
    agent.report(old, "released", "released")
    new = agent.claimed()
    assert agent.beat(old).lease_lost
    assert not agent.beat(new).lease_lost


def test_an_attempt_that_never_was_is_a_lost_lease(plane: Plane, agent: Agent) -> None:
    plane.submit()
    claim = agent.claimed()
    assert agent.beat(claim.model_copy(update={"attempt": 7})).lease_lost
    assert agent.beat(claim.model_copy(update={"job_id": "job_none"})).lease_lost


def test_events_that_come_twice_or_late_change_nothing(plane: Plane, agent: Agent) -> None:
    job = plane.submit()
    claim = agent.claimed()
    one, two = an_event(1, "note", message="one"), an_event(2, "note", message="two")
    assert agent.beat(claim, two, one, two).acked_seq == 2
    assert agent.beat(claim, one, two).acked_seq == 2
    assert [event.message for event in plane.events_of(job, "note")] == ["one", "two"]


def test_a_server_that_starts_gives_every_lease_a_fresh_window(plane: Plane, agent: Agent) -> None:
    job = plane.submit()
    claim = agent.claimed()
    plane.later(100_000)
    with plane.write() as tx:
        assert store.renew_since(tx, None, plane.now) == 1
        assert attempts.renew_since(tx, None, plane.now) == 1
    assert plane.sweep() == 0
    assert worker_state(plane, agent) is WorkerState.ACTIVE
    assert not agent.beat(claim).lease_lost
    assert plane.job(job).state is JobState.RUNNING


def test_a_lease_runs_out_in_time_though_the_servers_clock_went_back(
    plane: Plane, new_agent: NewAgent
) -> None:
    job, dead = plane.submit(), new_agent()
    dead.claimed()
    plane.later(-3600)
    plane.sweep()
    assert plane.job(job).state is JobState.RUNNING
    other = new_agent()
    plane.later(301)
    other.register()
    plane.sweep()
    assert plane.attempts_of(job)[0].reason == "worker_lost"
    assert worker_state(plane, dead) is WorkerState.LOST
    assert other.claimed().attempt == 2


def test_a_server_that_is_a_little_behind_another_is_no_clock_that_went_back(
    plane: Plane, agent: Agent
) -> None:
    job = plane.submit()
    claim = agent.claimed()
    plane.later(-59)
    with plane.database.read() as tx:
        assert not reaper.is_due(tx, WINDOWS, plane.now)
    plane.later(-2)
    with plane.database.read() as tx:
        assert reaper.is_due(tx, WINDOWS, plane.now)
    plane.sweep()
    assert not agent.beat(claim).lease_lost
    assert plane.job(job).state is JobState.RUNNING


def test_a_worker_that_is_gone_gives_its_jobs_back_at_once(
    plane: Plane, new_agent: NewAgent
) -> None:
    jobs, agent, other = [plane.submit() for _ in range(2)], new_agent(), new_agent()
    claims = [agent.claimed() for _ in jobs]
    say_gone(plane, agent)
    assert {plane.job(job).state for job in jobs} == {JobState.QUEUED}
    assert [agent.beat(claim).lease_lost for claim in claims] == [True, True]
    assert worker_state(plane, agent) is WorkerState.GONE
    assert other.claimed().attempt == 2


def test_gone_may_be_said_twice_and_spares_what_has_ended(plane: Plane, agent: Agent) -> None:
    job = plane.submit()
    agent.report(agent.claimed())
    say_gone(plane, agent)
    say_gone(plane, agent)
    assert plane.job(job).state is JobState.SUCCEEDED


def test_gone_of_a_worker_that_nobody_knows_is_refused(plane: Plane, agent: Agent) -> None:
    agent.id = "wrk_none"
    with pytest.raises(NotFound):
        say_gone(plane, agent)


def test_a_new_worker_hears_of_those_beside_it_that_have_not_said_goodbye(
    plane: Plane, new_agent: NewAgent
) -> None:
    gone, silent = new_agent(), new_agent()
    far = {"boot_id": "another", "pid_namespace": "pid:[1]", "pid": 7, "started_ticks": 1}
    new_agent(process=far)
    say_gone(plane, gone)
    neighbours = new_agent().register().neighbours
    assert [neighbour.worker_id for neighbour in neighbours] == [silent.id]


def worker_state(plane: Plane, agent: Agent) -> WorkerState:
    with plane.database.read() as tx:
        worker = store.get(tx, agent.id)
    assert worker is not None
    return worker.state

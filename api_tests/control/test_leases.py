from collections.abc import Callable

import pytest

from api_tests.support.control_agent import Agent, an_event, say_gone
from api_tests.support.use_cases import WINDOWS, ControlPlane
from service.contract.jobs import AttemptState, JobState
from service.contract.workers import WorkerState
from service.control.leases import reaper
from service.domain.errors import LeaseLost, NotFound
from service.store import leases
from service.store import workers as store

NewAgent = Callable[..., Agent]


def test_the_first_beat_says_that_the_claim_arrived(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claim()
    assert claim is not None
    control_plane.later(5)
    reply = agent.beat(claim)
    assert (reply.lease_lost, reply.directive, reply.acked_seq) == (False, "continue", 0)
    (attempt,) = control_plane.attempts_of(job)
    assert (attempt.state, attempt.started_at) == (AttemptState.RUNNING, control_plane.now)


def test_a_silent_worker_is_unreachable_but_keeps_its_job(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.claimed()
    control_plane.later(60)
    assert control_plane.sweep() == 0
    control_plane.later(1)
    assert control_plane.sweep() == 1
    assert control_plane.attempts_of(job)[0].state is AttemptState.UNREACHABLE
    assert control_plane.job(job).state is JobState.RUNNING
    assert worker_state(control_plane, agent) is WorkerState.UNREACHABLE
    assert len(control_plane.events_of(job, "unreachable")) == 1
    assert control_plane.sweep() == 0


def test_a_worker_that_is_back_in_time_goes_on(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(61)
    control_plane.sweep()
    control_plane.later(200)
    assert not agent.beat(claim, an_event(1, "note", message="still here")).lease_lost
    assert control_plane.attempts_of(job)[0].state is AttemptState.RUNNING
    assert worker_state(control_plane, agent) is WorkerState.ACTIVE
    assert [event.message for event in control_plane.events_of(job, "note")] == ["still here"]


def test_a_worker_silent_for_too_long_loses_its_job_to_another(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job, dead, other = control_plane.submit(), new_agent(), new_agent()
    claim = dead.claimed()
    control_plane.later(300)
    control_plane.sweep()
    assert control_plane.job(job).state is JobState.RUNNING
    control_plane.later(1)
    control_plane.sweep()
    assert control_plane.job(job).state is JobState.QUEUED
    assert control_plane.attempts_of(job)[0].reason == "worker_lost"
    other.register()
    again = other.claimed()
    assert (again.job_id, again.attempt) == (job.id, 2)
    assert dead.beat(claim, an_event(1, "note", message="a zombie")).lease_lost
    assert control_plane.events_of(job, "note") == []


def test_a_report_after_the_job_was_given_away_is_a_lost_lease(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(301)
    control_plane.sweep()
    with pytest.raises(LeaseLost):
        agent.report(claim)
    assert control_plane.job(job).state is JobState.QUEUED


def test_a_report_after_a_cancelled_jobs_worker_was_given_up_is_a_lost_lease(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.cancel(job)
    control_plane.later(301)
    control_plane.sweep()
    assert control_plane.job(job).state is JobState.CANCELLED
    assert control_plane.attempts_of(job)[0].state is AttemptState.LOST
    with pytest.raises(LeaseLost):
        agent.report(claim)


@pytest.mark.parametrize("token", ["another", "", "clé"])
def test_a_wrong_token_is_a_lost_lease(
    control_plane: ControlPlane, agent: Agent, token: str
) -> None:
    job = control_plane.submit()
    forged = agent.claimed().model_copy(update={"token": token})
    assert agent.beat(forged, an_event(1, "note", message="forged")).lease_lost
    with pytest.raises(LeaseLost):
        agent.report(forged)
    assert control_plane.events_of(job, "note") == []


def test_the_attempt_before_this_one_is_a_lost_lease(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    old = agent.claimed()
    agent.report(old, "released", "released")
    new = agent.claimed()
    assert agent.beat(old).lease_lost
    assert not agent.beat(new).lease_lost


def test_an_attempt_that_never_was_is_a_lost_lease(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    claim = agent.claimed()
    assert agent.beat(claim.model_copy(update={"attempt": 7})).lease_lost
    assert agent.beat(claim.model_copy(update={"job_id": "job_none"})).lease_lost


def test_events_that_come_twice_or_late_change_nothing(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    one, two = an_event(1, "note", message="one"), an_event(2, "note", message="two")
    assert agent.beat(claim, two, one, two).acked_seq == 2
    assert agent.beat(claim, one, two).acked_seq == 2
    assert [event.message for event in control_plane.events_of(job, "note")] == ["one", "two"]


def test_a_server_that_starts_gives_every_lease_a_fresh_window(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(100_000)
    with control_plane.write() as tx:
        assert store.renew_since(tx, None, control_plane.now) == 1
        assert leases.renew_since(tx, None, control_plane.now) == 1
    assert control_plane.sweep() == 0
    assert worker_state(control_plane, agent) is WorkerState.ACTIVE
    assert not agent.beat(claim).lease_lost
    assert control_plane.job(job).state is JobState.RUNNING


def test_a_lease_runs_out_in_time_though_the_servers_clock_went_back(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job, dead = control_plane.submit(), new_agent()
    dead.claimed()
    control_plane.later(-3600)
    control_plane.sweep()
    assert control_plane.job(job).state is JobState.RUNNING
    other = new_agent()
    control_plane.later(301)
    other.register()
    control_plane.sweep()
    assert control_plane.attempts_of(job)[0].reason == "worker_lost"
    assert worker_state(control_plane, dead) is WorkerState.LOST
    assert other.claimed().attempt == 2


def test_a_server_that_is_a_little_behind_another_is_no_clock_that_went_back(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(-59)
    with control_plane.database.read() as tx:
        assert not reaper.is_due(tx, WINDOWS, control_plane.now)
    control_plane.later(-2)
    with control_plane.database.read() as tx:
        assert reaper.is_due(tx, WINDOWS, control_plane.now)
    control_plane.sweep()
    assert not agent.beat(claim).lease_lost
    assert control_plane.job(job).state is JobState.RUNNING


def test_a_worker_that_is_gone_gives_its_jobs_back_at_once(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    jobs, agent, other = [control_plane.submit() for _ in range(2)], new_agent(), new_agent()
    claims = [agent.claimed() for _ in jobs]
    say_gone(control_plane, agent)
    assert {control_plane.job(job).state for job in jobs} == {JobState.QUEUED}
    assert [agent.beat(claim).lease_lost for claim in claims] == [True, True]
    assert worker_state(control_plane, agent) is WorkerState.GONE
    assert other.claimed().attempt == 2


def test_gone_may_be_said_twice_and_spares_what_has_ended(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed())
    say_gone(control_plane, agent)
    say_gone(control_plane, agent)
    assert control_plane.job(job).state is JobState.SUCCEEDED


def test_gone_of_a_worker_that_nobody_knows_is_refused(
    control_plane: ControlPlane, agent: Agent
) -> None:
    agent.id = "wrk_none"
    with pytest.raises(NotFound):
        say_gone(control_plane, agent)


def test_a_new_worker_hears_of_those_beside_it_that_have_not_said_goodbye(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    gone, silent = new_agent(), new_agent()
    far = {"boot_id": "another", "pid_namespace": "pid:[1]", "pid": 7, "started_ticks": 1}
    new_agent(process=far)
    say_gone(control_plane, gone)
    neighbours = new_agent().register().neighbours
    assert [neighbour.worker_id for neighbour in neighbours] == [silent.id]


def test_a_new_worker_hears_of_none_whose_ranks_may_live_on_other_hosts(
    new_agent: NewAgent,
) -> None:
    new_agent(hosts=2, slots=2)
    assert new_agent().register().neighbours == ()


def worker_state(control_plane: ControlPlane, agent: Agent) -> WorkerState:
    with control_plane.database.read() as tx:
        worker = store.get(tx, agent.id)
    assert worker is not None
    return worker.state

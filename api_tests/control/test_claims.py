from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from api_tests.support.control_agent import Agent, gpus
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim
from service.contract.catalog import builtin_catalog
from service.contract.jobs import AttemptState, JobState
from service.control.scheduling import catalogs
from service.domain.errors import NotFound

NewAgent = Callable[..., Agent]


def test_a_claim_takes_the_job_and_says_everything_needed(
    control_plane: ControlPlane, agent: Agent
) -> None:
    with control_plane.write() as tx:
        catalogs.put(tx, agent.id, builtin_catalog(), control_plane.now)
    job = control_plane.submit()
    claim = agent.claim()
    assert claim is not None
    assert (claim.job_id, claim.attempt, claim.spec) == (job.id, 1, job.spec)
    assert claim.lease.self_end_seconds == 240
    assert (claim.resume, claim.weights) == ((), None)
    taken = control_plane.job(job)
    assert (taken.state, taken.attempt, taken.started_at) == ("running", 1, control_plane.now)
    assert [attempt.state for attempt in control_plane.attempts_of(job)] == ["claimed"]


def test_a_higher_priority_is_served_first_then_the_older(
    control_plane: ControlPlane, agent: Agent
) -> None:
    old, young, urgent = (
        control_plane.submit(),
        control_plane.submit(),
        control_plane.submit(priority=5),
    )
    assert [claimed_id(agent) for _ in range(3)] == [urgent.id, old.id, young.id]


def test_a_job_waits_for_a_worker_with_its_gpus(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    wide, narrow = (
        control_plane.submit(resources={"gpus": 2}),
        control_plane.submit(resources={"gpus": 1}),
    )
    small, large = new_agent(gpus=gpus(1)), new_agent(gpus=gpus(4))
    assert claimed_id(small) == narrow.id
    assert small.claim() is None
    assert claimed_id(large) == wide.id


def test_a_job_waits_for_a_worker_with_its_labels(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job = control_plane.submit(resources={"labels": {"zone": "a"}})
    assert new_agent(labels={"zone": "b"}).claim() is None
    assert claimed_id(new_agent(labels={"zone": "a", "disk": "fast"})) == job.id


def test_a_failed_job_is_not_claimed_before_its_wait_is_over(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed(), "failed", "crashed")
    control_plane.later(9)
    assert agent.claim() is None
    control_plane.later(1)
    assert claimed_id(agent) == job.id


def test_a_worker_without_room_gets_nothing(control_plane: ControlPlane, agent: Agent) -> None:
    control_plane.submit()
    assert agent.claim(free_slots=0) is None


def test_the_same_request_gives_the_same_claim_again(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    other = control_plane.submit()
    first, again = agent.claim("r"), agent.claim("r")
    assert first == again
    assert control_plane.job(other).state is JobState.QUEUED


def test_a_request_whose_attempt_has_ended_gives_nothing(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    other = control_plane.submit()
    claim = agent.claim("r")
    assert claim is not None
    agent.report(claim)
    assert agent.claim("r") is None
    assert control_plane.job(other).state is JobState.QUEUED


def test_a_worker_that_nobody_knows_must_register(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    agent.id = "wrk_unknown"
    with pytest.raises(NotFound, match="must register") as refused:
        agent.claim()
    assert refused.value.code == "unknown_worker"


def test_a_worker_that_was_given_up_may_claim_once_it_has_registered_again(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    control_plane.later(301)
    control_plane.sweep()
    with pytest.raises(NotFound):
        agent.claim()
    agent.register()
    assert claimed_id(agent) == job.id


def test_a_claim_that_is_not_started_goes_back_without_charge(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job, agent = control_plane.submit(max_failures=0), new_agent()
    for attempt in range(1, 6):
        claim = agent.claim()
        assert claim is not None
        assert claim.attempt == attempt
        control_plane.later(30)
        assert control_plane.sweep() == 0
        control_plane.later(1)
        assert control_plane.sweep() == 1
        assert control_plane.job(job).state is JobState.QUEUED
    assert {attempt.reason for attempt in control_plane.attempts_of(job)} == {"not_started"}


def test_a_claim_that_was_heard_of_is_not_taken_back(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.claimed()
    control_plane.later(31)
    assert control_plane.sweep() == 0
    assert control_plane.attempts_of(job)[0].state is AttemptState.RUNNING


def test_a_job_in_the_queue_says_what_it_waits_for(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    wide = control_plane.submit(resources={"gpus": 2})
    picky = control_plane.submit(resources={"labels": {"zone": "a"}})
    plain, second = control_plane.submit(priority=-1), control_plane.submit(priority=-1)
    agent = new_agent(gpus=gpus(1), slots=1)
    assert str(control_plane.job(wide).wait_reason).startswith("no worker has 2 GPUs: the widest")
    assert control_plane.job(picky).wait_reason == "no worker has the labels zone=a"
    assert claimed_id(agent) == plain.id
    waiting = control_plane.job(second)
    assert (waiting.queue_position, waiting.wait_reason) == (3, "all workers are busy")


def test_two_workers_at_once_claim_each_of_twenty_jobs_once(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    jobs = [control_plane.submit() for _ in range(20)]
    agents, start = [new_agent(), new_agent()], Barrier(2)

    def claim_all(agent: Agent) -> list[Claim]:
        start.wait()
        claims = []
        while (claim := agent.claim()) is not None:
            claims.append(claim)
        return claims

    with ThreadPoolExecutor(2) as threads:
        claims = [claim for each in threads.map(claim_all, agents) for claim in each]
    # One that found all the rest in the other's hands may have stopped early.
    while (late := agents[0].claim()) is not None:
        claims.append(late)
    assert sorted(claim.job_id for claim in claims) == [job.id for job in jobs]
    assert {claim.attempt for claim in claims} == {1}
    assert [len(control_plane.attempts_of(job)) for job in jobs] == [1] * 20


def claimed_id(agent: Agent) -> str:
    claim = agent.claim()
    assert claim is not None
    return claim.job_id

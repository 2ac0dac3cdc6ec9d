from collections.abc import Callable

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import AttemptState, Job, JobState
from service.contract.workers import WorkerState
from service.control.leases import workers

NewAgent = Callable[..., Agent]


@pytest.fixture
def running(control_plane: ControlPlane, new_agent: NewAgent) -> list[tuple[Job, Agent]]:
    """Ten jobs, each on a worker of its own."""
    return [(control_plane.submit(), agent) for agent in (new_agent(slots=1) for _ in range(10))]


def test_when_too_many_leases_run_out_at_once_each_has_one_more_window(
    control_plane: ControlPlane, running: list[tuple[Job, Agent]]
) -> None:
    claims = [agent.claimed() for _, agent in running]
    control_plane.later(301)
    silent = range(4)
    for number in set(range(10)) - set(silent):
        running[number][1].beat(claims[number])
    control_plane.sweep()
    for number in silent:
        job = running[number][0]
        assert control_plane.job(job).state is JobState.RUNNING
        assert control_plane.attempts_of(job)[0].state is AttemptState.UNREACHABLE
        assert len(control_plane.events_of(job, "spared")) == 1
    with control_plane.database.read() as tx:
        states = {worker.id: worker.state for worker in workers.present(tx)}
    assert {states[running[n][1].id] for n in silent} == {WorkerState.UNREACHABLE}
    assert not running[0][1].beat(claims[0]).lease_lost
    control_plane.later(301)
    for number in {0} | (set(range(10)) - set(silent)):
        running[number][1].beat(claims[number])
    control_plane.sweep()
    assert control_plane.job(running[0][0]).state is JobState.RUNNING
    assert {control_plane.job(running[n][0]).state for n in (1, 2, 3)} == {JobState.QUEUED}


def test_three_of_ten_leases_are_no_mass(
    control_plane: ControlPlane, running: list[tuple[Job, Agent]]
) -> None:
    claims = [agent.claimed() for _, agent in running]
    control_plane.later(301)
    for number in range(3, 10):
        running[number][1].beat(claims[number])
    control_plane.sweep()
    assert [control_plane.job(job).state for job, _ in running[:3]] == [JobState.QUEUED] * 3


def test_a_lease_that_is_spared_over_and_over_is_heard_of_in_between(
    control_plane: ControlPlane, running: list[tuple[Job, Agent]]
) -> None:
    claims = [agent.claimed() for _, agent in running]
    for _ in range(2):
        control_plane.later(301)
        control_plane.sweep()
        assert control_plane.job(running[0][0]).state is JobState.RUNNING
        for (_, agent), claim in zip(running, claims, strict=True):
            agent.beat(claim)
    control_plane.later(301)
    control_plane.sweep()
    control_plane.later(301)
    control_plane.sweep()
    assert {control_plane.job(job).state for job, _ in running} == {JobState.QUEUED}

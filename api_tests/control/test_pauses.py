import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import AttemptState, Job, JobState
from service.domain.errors import Conflict


def test_a_queued_job_rests_at_once_and_comes_back_to_its_place(
    control_plane: ControlPlane, agent: Agent
) -> None:
    first, second = control_plane.submit(), control_plane.submit()
    paused = control_plane.pause(first)
    assert (paused.state, paused.reason) == (JobState.PAUSED, "paused")
    assert agent.claimed().job_id == second.id
    assert agent.claim() is None
    assert control_plane.resume(first).state is JobState.QUEUED
    assert control_plane.job(first).reason is None
    assert agent.claimed().job_id == first.id


def test_a_running_job_saves_and_rests_and_goes_on_from_its_checkpoint(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    assert control_plane.pause(job).state is JobState.PAUSING
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    saved = an_event(1, "checkpoint", **published_body(a_manifest(job.id, 7)))
    first = agent.report(claim, "released", "released", events=(saved,))
    assert agent.report(claim, "released", "released", events=(saved,)) == first
    paused = control_plane.job(job)
    assert (paused.state, paused.reason, paused.finished_at) == ("paused", "paused", None)
    (attempt,) = control_plane.attempts_of(job)
    assert (attempt.state, attempt.reason) == (AttemptState.RELEASED, "paused")
    assert agent.claim() is None
    control_plane.resume(job)
    again = agent.claimed()
    assert (again.attempt, [c.step for c in again.resume]) == (2, [7])
    assert agent.beat(again).directive == "continue"


def test_a_pause_may_be_asked_twice(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    agent.claimed()
    assert control_plane.pause(job) == control_plane.pause(job)


def test_a_job_that_finishes_before_it_hears_of_the_pause_has_succeeded(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.pause(job)
    agent.report(claim)
    assert control_plane.job(job).state is JobState.SUCCEEDED


def test_a_worker_that_dies_while_its_job_is_pausing_leaves_it_paused(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.claimed()
    control_plane.pause(job)
    control_plane.later(301)
    control_plane.sweep()
    assert control_plane.job(job).state is JobState.PAUSED
    assert control_plane.attempts_of(job)[0].reason == "worker_lost"


def test_a_crash_while_pausing_costs_a_failure_and_rests(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(max_failures=1)
    claim = agent.claimed()
    control_plane.pause(job)
    agent.report(claim, "failed", "crashed")
    assert control_plane.job(job).state is JobState.PAUSED
    control_plane.resume(job)
    claim = agent.claimed()
    control_plane.pause(job)
    agent.report(claim, "failed", "crashed")
    assert control_plane.job(job).state is JobState.FAILED


def test_a_paused_job_is_cancelled_at_once(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    control_plane.pause(job)
    cancelled = control_plane.cancel(job)
    assert (cancelled.state, cancelled.finished_at) == (JobState.CANCELLED, control_plane.now)
    assert agent.claim() is None


def test_a_pausing_job_that_is_cancelled_ends_cancelled(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.pause(job)
    assert control_plane.cancel(job).state is JobState.CANCELLING
    agent.report(claim, "released", "released")
    assert control_plane.job(job).state is JobState.CANCELLED


def test_a_cancelling_or_ended_job_cannot_be_paused(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.cancel(job)
    refuse_to_pause(control_plane, job)
    agent.report(claim)
    refuse_to_pause(control_plane, job)


def test_only_a_paused_job_can_be_resumed(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    refuse_to_resume(control_plane, job)
    agent.claimed()
    refuse_to_resume(control_plane, job)
    control_plane.cancel(job)
    refuse_to_resume(control_plane, job)


def test_a_pause_that_is_withdrawn_in_time_stops_nothing(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.pause(job)
    assert control_plane.resume(job).state is JobState.RUNNING
    assert agent.beat(claim).directive == "continue"
    agent.report(claim)
    assert (control_plane.job(job).state, control_plane.job(job).attempt) == (JobState.SUCCEEDED, 1)


def test_a_pause_that_is_withdrawn_too_late_costs_nothing_but_a_new_attempt(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(max_failures=0)
    claim = agent.claimed()
    control_plane.pause(job)
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    control_plane.resume(job)
    agent.report(claim, "released", "released")
    assert control_plane.job(job).state is JobState.QUEUED
    assert agent.claimed().attempt == 2


def refuse_to_pause(control_plane: ControlPlane, job: Job) -> None:
    with pytest.raises(Conflict) as refused:
        control_plane.pause(job)
    assert refused.value.code == "not_pausable"


def refuse_to_resume(control_plane: ControlPlane, job: Job) -> None:
    with pytest.raises(Conflict) as refused:
        control_plane.resume(job)
    assert refused.value.code == "not_paused"

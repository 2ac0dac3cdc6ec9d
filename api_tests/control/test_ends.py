import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import ReportedEvent
from service.contract.jobs import AttemptState, Job, JobState
from service.domain.errors import Conflict, LeaseLost


def test_success_ends_the_job_with_its_result(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.later(50)
    agent.report(claim, result={"top1_error": 0.1})
    ended = control_plane.job(job)
    assert (ended.state, ended.reason, ended.finished_at) == (
        "succeeded",
        "finished",
        control_plane.now,
    )
    assert ended.result == {"top1_error": 0.1}
    assert (ended.progress.fraction, ended.progress.step) == (1.0, ended.progress.total_steps)
    assert control_plane.attempts_of(job)[0].state is AttemptState.SUCCEEDED


def test_a_report_that_comes_again_gets_the_same_reply_and_changes_nothing(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    extra = {"events": (an_event(1, "note", message="bye"),)}
    first = agent.report(claim, "failed", "crashed", **extra)
    version = control_plane.job(job).version
    assert agent.report(claim, "failed", "crashed", **extra) == first
    assert first.acked_seq == 1
    assert control_plane.job(job).version == version
    assert len(control_plane.events_of(job, "note")) == 1


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_report_of_another_end_than_the_first_is_a_lost_lease(
    control_plane: ControlPlane, agent: Agent, cancelled: bool
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    if cancelled:
        control_plane.cancel(job)
    first = agent.report(claim, "released", "released")
    ended = control_plane.job(job)
    with pytest.raises(LeaseLost):
        agent.report(claim, "succeeded", "finished")
    assert agent.report(claim, "released", "released") == first
    assert control_plane.job(job) == ended


def test_a_report_of_another_reason_than_the_first_is_a_lost_lease(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    claim = agent.claimed()
    first = agent.report(claim, "failed", "worker_lost")
    with pytest.raises(LeaseLost):
        agent.report(claim, "failed", "crashed")
    assert agent.report(claim, "failed", "worker_lost") == first


def test_a_beat_after_the_end_is_a_lost_lease(control_plane: ControlPlane, agent: Agent) -> None:
    control_plane.submit()
    claim = agent.claimed()
    agent.report(claim)
    assert agent.beat(claim).lease_lost


def test_a_crash_is_tried_again_after_a_wait_that_doubles_until_the_third_ends_it(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(max_failures=2)
    for wait in (10, 20):
        agent.report(agent.claimed(), "failed", "crashed", message="segfault")
        assert control_plane.job(job).state is JobState.QUEUED
        control_plane.later(wait - 1)
        assert agent.claim() is None
        control_plane.later(1)
    agent.report(agent.claimed(), "failed", "crashed", message="segfault")
    ended = control_plane.job(job)
    assert (ended.state, ended.reason) == (JobState.FAILED, "crashed")
    assert ended.message == "segfault (failed 3 times, and max_failures is 2)"


def test_a_new_checkpoint_forgives_what_went_wrong_before_it(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(max_failures=1)
    for attempt in range(1, 5):
        claim = agent.claimed()
        manifest = a_manifest(job.id, 10 * attempt, attempt=attempt)
        agent.beat(claim, an_event(1, "checkpoint", **published_body(manifest)))
        agent.report(claim, "failed", "crashed")
        control_plane.later(10)
    assert control_plane.job(job).state is JobState.QUEUED


def test_three_losses_in_a_row_are_poison(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.submit()
    lose(control_plane, agent, job)
    lose(control_plane, agent, job)
    assert control_plane.job(job).state is JobState.QUEUED
    lose(control_plane, agent, job)
    ended = control_plane.job(job)
    assert (ended.state, ended.reason) == (JobState.FAILED, "poison")
    assert ended.message is not None
    assert "lost 3 times in a row without a new checkpoint" in ended.message


def test_losses_with_checkpoints_between_them_are_no_poison(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    for attempt in range(1, 6):
        manifest = a_manifest(job.id, attempt, attempt=attempt)
        lose(control_plane, agent, job, an_event(1, "checkpoint", **published_body(manifest)))
    assert control_plane.job(job).state is JobState.QUEUED


@pytest.mark.parametrize(
    "reason", ["invalid_data", "non_finite_loss", "out_of_memory", "incompatible_checkpoint"]
)
def test_a_hopeless_end_ends_the_job_at_once(
    control_plane: ControlPlane, agent: Agent, reason: str
) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed(), "failed", reason, message="what to change")
    ended = control_plane.job(job)
    assert (ended.state, ended.reason, ended.message) == ("failed", reason, "what to change")


def test_a_released_job_goes_back_to_the_queue_at_once(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit(max_failures=0)
    agent.report(agent.claimed(), "released", "released")
    assert control_plane.job(job).state is JobState.QUEUED
    assert agent.claimed().attempt == 2


def test_a_queued_job_is_cancelled_at_once(control_plane: ControlPlane, agent: Agent) -> None:
    job = control_plane.cancel(control_plane.submit())
    assert (job.state, job.reason, job.finished_at) == ("cancelled", "cancelled", control_plane.now)
    assert agent.claim() is None
    assert control_plane.cancel(job).state is JobState.CANCELLED


def test_a_running_job_is_asked_to_save_and_stop_and_then_to_stop_now(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    assert control_plane.cancel(job).state is JobState.CANCELLING
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    control_plane.cancel(job)
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    control_plane.cancel(job, "now")
    assert agent.beat(claim).directive == "stop"
    control_plane.cancel(job)
    assert agent.beat(claim).directive == "stop"
    agent.report(claim, "released", "released", message="stopped")
    ended = control_plane.job(job)
    assert (ended.state, ended.reason) == (JobState.CANCELLED, "cancelled")
    assert control_plane.attempts_of(job)[0].state is AttemptState.CANCELLED


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("failed", "crashed"), ("failed", "invalid_data"), ("cancelled", "cancelled")],
)
def test_a_job_to_be_cancelled_is_never_tried_again(
    control_plane: ControlPlane, agent: Agent, outcome: str, reason: str
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.cancel(job)
    first = agent.report(claim, outcome, reason)
    assert agent.report(claim, outcome, reason) == first
    assert control_plane.job(job).state is JobState.CANCELLED
    assert agent.claim() is None


def test_a_run_that_finishes_before_it_hears_of_the_cancel_has_succeeded(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    control_plane.cancel(job)
    agent.report(claim)
    assert control_plane.job(job).state is JobState.SUCCEEDED


@pytest.mark.parametrize(
    ("outcome", "reason"), [("succeeded", "finished"), ("failed", "invalid_data")]
)
def test_a_finished_job_cannot_be_cancelled(
    control_plane: ControlPlane, agent: Agent, outcome: str, reason: str
) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed(), outcome, reason)
    with pytest.raises(Conflict, match=f"has {outcome} already") as refused:
        control_plane.cancel(job)
    assert refused.value.code == "job_ended"


def test_an_attempt_cannot_be_cancelled_that_nobody_asked_to_cancel(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    with pytest.raises(Conflict) as refused:
        agent.report(claim, "cancelled", "cancelled")
    assert not isinstance(refused.value, LeaseLost)
    assert control_plane.job(job).state is JobState.RUNNING


def lose(control_plane: ControlPlane, agent: Agent, job: Job, *events: ReportedEvent) -> None:
    agent.register()
    claim = agent.claim()
    assert claim is not None
    assert claim.job_id == job.id
    agent.beat(claim, *events)
    control_plane.later(301)
    control_plane.sweep()

"""How a preemption ends, whatever else happens meanwhile."""

from collections.abc import Callable

import pytest

from api_tests.support.control_agent import Agent, an_event, say_gone
from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.preempted_jobs import give_back, low_running
from api_tests.support.stopped_transaction import POINTS, StoppedTransaction
from api_tests.support.use_cases import PREEMPT_AFTER_SECONDS, ControlPlane
from service.contract.changes import JobEdit
from service.contract.jobs import AttemptState, JobState
from service.control.jobs import edits
from service.control.scheduling import preemption
from service.domain.errors import Conflict

NewAgent = Callable[..., Agent]


def test_a_lower_job_saves_and_goes_on_after_the_urgent_one(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    low, claim = low_running(control_plane, narrow)
    urgent = control_plane.submit(priority=5)
    assert narrow.beat(claim).directive == "continue"
    assert control_plane.preempt() == 1
    assert narrow.beat(claim).directive == "checkpoint_and_stop"
    saved = an_event(1, "checkpoint", **published_body(a_manifest(low.id, 7)))
    narrow.report(claim, "released", "released", events=(saved,))
    requeued = control_plane.job(low)
    assert (requeued.state, requeued.finished_at) == (JobState.QUEUED, None)
    (attempt,) = control_plane.attempts_of(low)
    assert (attempt.state, attempt.reason) == (AttemptState.RELEASED, "preempted")
    first = narrow.claimed()
    assert first.job_id == urgent.id
    assert narrow.claim(free_slots=0) is None
    narrow.report(first)
    again = narrow.claimed()
    assert (again.job_id, again.attempt) == (low.id, 2)
    assert [c.step for c in again.resume] == [7]
    assert narrow.beat(again).directive == "continue"


def test_both_histories_and_the_reason_of_the_wait_say_who_gives_a_place_to_whom(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    low, claim = low_running(control_plane, narrow, priority=-1)
    urgent = control_plane.submit(priority=5)
    assert "once it has run for a while" in (control_plane.job(urgent).wait_reason or "")
    version = control_plane.job(urgent).version
    control_plane.preempt()
    (of_low,) = control_plane.events_of(low, "preemption")
    assert of_low.message == (
        f"preempted for {urgent.id} of priority 5: it saves, and goes back to the queue"
    )
    assert of_low.attempt == 1
    (of_urgent,) = control_plane.events_of(urgent, "preemption")
    assert of_urgent.message == (
        f"waits for {low.id} of priority -1 to save on wrk_1 and give its place"
    )
    waiting = control_plane.job(urgent)
    assert waiting.wait_reason == f"it waits for {low.id} on wrk_1 to save and give its place"
    assert waiting.version > version
    give_back(narrow, claim)
    assert control_plane.job(urgent).wait_reason is None
    (attempt,) = control_plane.attempts_of(low)
    assert attempt.message == f"preempted for {urgent.id}: stopped by the control plane"
    (requeued,) = control_plane.events_of(low, "requeued")
    assert f"preempted for {urgent.id}" in requeued.message


def test_a_preemption_costs_nothing_and_its_report_may_come_twice(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    low, claim = low_running(control_plane, narrow, max_failures=0)
    for _ in range(4):
        urgent = control_plane.submit(priority=5)
        assert control_plane.preempt() == 1
        first = narrow.report(claim, "released", "released")
        assert narrow.report(claim, "released", "released") == first
        narrow.report(narrow.claimed())
        assert control_plane.job(urgent).state is JobState.SUCCEEDED
        claim = narrow.claimed()
        control_plane.later(PREEMPT_AFTER_SECONDS)
    assert control_plane.job(low).state is JobState.RUNNING
    reasons = [each.reason for each in control_plane.attempts_of(low)]
    assert reasons == ["preempted"] * 4 + [None]


def test_a_cancel_wins_over_a_preemption(control_plane: ControlPlane, narrow: Agent) -> None:
    low, claim = low_running(control_plane, narrow)
    control_plane.submit(priority=5)
    control_plane.preempt()
    control_plane.cancel(low, "now")
    assert narrow.beat(claim).directive == "stop"
    narrow.report(claim, "released", "released")
    ended = control_plane.job(low)
    assert (ended.state, ended.reason) == (JobState.CANCELLED, "cancelled")


def test_a_pause_wins_over_a_preemption(control_plane: ControlPlane, narrow: Agent) -> None:
    low, claim = low_running(control_plane, narrow)
    urgent = control_plane.submit(priority=5)
    control_plane.preempt()
    control_plane.pause(low)
    give_back(narrow, claim)
    assert control_plane.job(low).state is JobState.PAUSED
    assert control_plane.attempts_of(low)[0].reason == "paused"
    assert narrow.claimed().job_id == urgent.id


def test_a_job_that_ends_before_it_hears_of_it_has_ended(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    low, claim = low_running(control_plane, narrow)
    control_plane.submit(priority=5)
    control_plane.preempt()
    narrow.report(claim)
    assert control_plane.job(low).state is JobState.SUCCEEDED


def test_a_worker_that_dies_while_its_job_saves_loses_it_as_ever(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    low, _ = low_running(control_plane, narrow)
    control_plane.submit(priority=5)
    control_plane.preempt()
    say_gone(control_plane, narrow)
    assert control_plane.job(low).state is JobState.QUEUED
    assert control_plane.attempts_of(low)[0].reason == "worker_lost"


@pytest.mark.parametrize("at", POINTS)
def test_two_servers_that_ask_at_once_ask_one_job(
    control_plane: ControlPlane, new_agent: NewAgent, at: str
) -> None:
    agent = new_agent(slots=2)
    low_running(control_plane, agent)
    low_running(control_plane, agent)
    control_plane.submit(priority=5)
    counts = StoppedTransaction(control_plane.database, at).race(
        control_plane.preempt, control_plane.preempt
    )
    assert sorted(counts) == [0, 1]


@pytest.mark.parametrize("at", POINTS)
def test_a_preemption_against_an_end_of_the_lower_job(
    control_plane: ControlPlane, narrow: Agent, at: str
) -> None:
    low, claim = low_running(control_plane, narrow)
    urgent = control_plane.submit(priority=5)
    _, reply = StoppedTransaction(control_plane.database, at).race(
        control_plane.preempt, lambda: narrow.report(claim)
    )
    assert not isinstance(reply, Exception)
    assert control_plane.job(low).state is JobState.SUCCEEDED
    assert narrow.claimed().job_id == urgent.id


@pytest.mark.parametrize("at", POINTS)
def test_a_preemption_against_a_cancel_of_the_urgent_job(
    control_plane: ControlPlane, narrow: Agent, at: str
) -> None:
    low, claim = low_running(control_plane, narrow)
    urgent = control_plane.submit(priority=5)
    asked, cancelled = StoppedTransaction(control_plane.database, at).race(
        control_plane.preempt, lambda: control_plane.cancel(urgent)
    )
    assert not isinstance(cancelled, Conflict)
    assert control_plane.job(urgent).state is JobState.CANCELLED
    directive = narrow.beat(claim).directive
    assert (directive == "checkpoint_and_stop") == (asked == 1)
    narrow.report(claim, "released", "released")
    assert narrow.claimed().job_id == low.id


@pytest.mark.parametrize(
    "change", ["urgent cancelled", "urgent lowered", "low paused", "low raised"]
)
def test_what_has_changed_since_it_was_decided_is_not_carried_out(
    control_plane: ControlPlane, narrow: Agent, change: str
) -> None:
    low, claim = low_running(control_plane, narrow)
    urgent = control_plane.submit(priority=5)
    with control_plane.database.read() as tx:
        decided = preemption.decide(tx, PREEMPT_AFTER_SECONDS, control_plane.now)
    assert [each.job.id for each in decided] == [urgent.id]
    if change == "urgent cancelled":
        control_plane.cancel(urgent)
    elif change == "low paused":
        control_plane.pause(low)
    else:
        job, edit = (urgent, {"priority": 0}) if "urgent" in change else (low, {"priority": 5})
        with control_plane.write() as tx:
            edits.edit(tx, job.id, JobEdit(**edit), versions=None, now=control_plane.now)
    with control_plane.write() as tx:
        assert preemption.carry_out(tx, decided, control_plane.now) == 0
    assert control_plane.events_of(low, "preemption") == []
    narrow.report(claim, "released", "released")
    assert control_plane.attempts_of(low)[0].reason != "preempted"

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from api_tests.support.manifests import a_manifest, published_body
from api_tests.support.stopped_transaction import POINTS, StoppedTransaction
from api_tests.support.use_cases import (
    PREEMPT_AFTER_SECONDS,
    Agent,
    ControlPlane,
    an_event,
    gpus,
    say_gone,
)
from service.contract.agent import Claim
from service.contract.changes import JobEdit
from service.contract.jobs import AttemptState, Job, JobState
from service.control.jobs import edits
from service.control.leases import workers
from service.domain.errors import Conflict
from service.domain.limits import Limit
from service.store import limits
from service.store.tables import jobs as jobs_table

NewAgent = Callable[..., Agent]


@pytest.fixture
def narrow(new_agent: NewAgent) -> Agent:
    """A worker with one slot."""
    return new_agent(slots=1)


def low_running(control_plane: ControlPlane, agent: Agent, **fields: Any) -> tuple[Job, Claim]:
    """A preemptible job that has run for long enough."""
    job = control_plane.submit(preemptible=True, **fields)
    claim = agent.claimed()
    assert claim.job_id == job.id
    control_plane.later(PREEMPT_AFTER_SECONDS)
    agent.beat(claim)
    return job, claim


def give_back(agent: Agent, claim: Claim) -> None:
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    agent.report(claim, "released", "released", message="stopped by the control plane")


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
    assert control_plane.job(urgent).wait_reason == "all workers are busy"
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


@pytest.mark.parametrize(
    ("of_low", "of_urgent"),
    [({}, {"priority": 5}), ({"preemptible": True}, {}), ({"preemptible": True}, {"priority": -1})],
    ids=["not preemptible", "equal", "lower"],
)
def test_no_other_job_is_preempted(
    control_plane: ControlPlane, narrow: Agent, of_low: Any, of_urgent: Any
) -> None:
    control_plane.submit(**of_low)
    claim = narrow.claimed()
    control_plane.later(1000)
    narrow.beat(claim)
    control_plane.submit(**of_urgent)
    assert control_plane.preempt() == 0
    assert narrow.beat(claim).directive == "continue"


def test_an_attempt_that_has_just_begun_runs_for_a_while_first(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    control_plane.submit(preemptible=True)
    claim = narrow.claim()
    assert claim is not None
    control_plane.submit(priority=5)
    control_plane.later(PREEMPT_AFTER_SECONDS)
    assert control_plane.preempt() == 0, "its worker has not begun it"
    narrow.beat(claim)
    control_plane.later(PREEMPT_AFTER_SECONDS - 1)
    assert control_plane.preempt() == 0
    control_plane.later(1)
    assert control_plane.preempt() == 1


def test_a_silent_worker_is_not_asked(control_plane: ControlPlane, narrow: Agent) -> None:
    low_running(control_plane, narrow)
    control_plane.submit(priority=5)
    control_plane.later(61)
    control_plane.sweep()
    assert control_plane.preempt() == 0


def test_a_job_that_fits_elsewhere_has_nobody_preempted(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    low_running(control_plane, new_agent(slots=1))
    control_plane.submit(priority=5)
    other = new_agent(slots=1)
    assert control_plane.preempt() == 0
    with control_plane.write() as tx:
        workers.drain(tx, other.id, control_plane.now)
    assert control_plane.preempt() == 1


def test_a_wide_job_gets_all_gpus_that_two_jobs_give_back_and_none_in_between(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent, other = new_agent(gpus=gpus(4)), new_agent(gpus=gpus(4))
    protected = control_plane.submit(resources={"gpus": 1})
    assert other.claimed(free_gpus=4).job_id == protected.id
    low = [control_plane.submit(resources={"gpus": 2}, preemptible=True) for _ in range(2)]
    claims = [agent.claimed(free_gpus=4), agent.claimed(free_gpus=2)]
    control_plane.later(PREEMPT_AFTER_SECONDS)
    wide = control_plane.submit(resources={"gpus": 4}, priority=5)
    between = control_plane.submit(resources={"gpus": 1}, priority=1)
    equal = control_plane.submit(resources={"gpus": 2}, priority=5)
    assert control_plane.preempt() == 2
    assert control_plane.preempt() == 0
    give_back(agent, claims[0])
    # The other worker has more GPUs free; those of this one are the wide job's all the same.
    assert agent.claim(free_gpus=2) is None
    reason = control_plane.job(wide).wait_reason
    assert reason == f"it waits for {claims[1].job_id} on wrk_1 to save and give its place"
    give_back(agent, claims[1])
    first = agent.claimed(free_gpus=4)
    assert first.job_id == wide.id
    assert agent.claim(free_gpus=0) is None
    assert other.claimed(free_gpus=3).job_id == equal.id
    assert other.claimed(free_gpus=1).job_id == between.id
    agent.report(first)
    assert [agent.claimed(free_gpus=n).job_id for n in (4, 2)] == [job.id for job in low]


def test_a_preempted_job_does_not_preempt_in_turn(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    _, claim = low_running(control_plane, narrow)
    control_plane.submit(priority=5, preemptible=True)
    control_plane.preempt()
    give_back(narrow, claim)
    urgent = narrow.claimed()
    control_plane.later(1000)
    narrow.beat(urgent)
    assert control_plane.preempt() == 0


def test_a_job_asks_once_on_a_worker_until_it_has_run(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    low, claim = low_running(control_plane, narrow)
    urgent = control_plane.submit(priority=5)
    control_plane.preempt()
    give_back(narrow, claim)
    # Whatever keeps the urgent one from the place: the lower one has it again.
    hold_back(control_plane, urgent, until=control_plane.now + timedelta(seconds=1))
    assert narrow.claimed().job_id == low.id
    hold_back(control_plane, urgent, until=None)
    control_plane.later(PREEMPT_AFTER_SECONDS)
    assert control_plane.preempt() == 0
    control_plane.pause(urgent)
    control_plane.resume(urgent)
    assert control_plane.preempt() == 1


def hold_back(control_plane: ControlPlane, job: Job, until: datetime | None) -> None:
    with control_plane.write() as tx:
        statement = jobs_table.update().where(jobs_table.c.id == job.id)
        tx.execute(statement.values(not_before=until))


def test_a_job_that_may_not_run_yet_has_nobody_preempted(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    with control_plane.write() as tx:
        limits.put(tx, [Limit("team", "a", 1)])
    low_running(control_plane, narrow, labels={"team": "a"})
    control_plane.submit(priority=5, labels={"team": "a"})
    assert control_plane.preempt() == 0
    control_plane.submit(priority=5, labels={"team": "b"})
    assert control_plane.preempt() == 1


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


def test_a_job_that_stops_anyway_is_waited_for(control_plane: ControlPlane, agent: Agent) -> None:
    busy = [control_plane.submit() for _ in range(3)]
    assert [agent.claimed().job_id for _ in busy] == [job.id for job in busy]
    low, _ = low_running(control_plane, agent)
    control_plane.cancel(busy[0])
    control_plane.submit(priority=5)
    assert control_plane.preempt() == 0
    control_plane.submit(priority=5)
    assert control_plane.preempt() == 1
    assert len(control_plane.events_of(low, "preemption")) == 1


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


def test_an_edit_makes_a_running_job_preemptible(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    job = control_plane.submit()
    claim = narrow.claimed()
    control_plane.later(PREEMPT_AFTER_SECONDS)
    narrow.beat(claim)
    control_plane.submit(priority=5)
    assert control_plane.preempt() == 0
    with control_plane.write() as tx:
        change = JobEdit(preemptible=True)
        edits.edit(tx, job.id, change, versions=None, now=control_plane.now)
    assert control_plane.job(job).spec.preemptible
    assert control_plane.preempt() == 1


def test_a_worker_is_not_told_whether_its_job_is_preemptible(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    job = control_plane.submit(preemptible=True)
    assert "preemptible" not in narrow.claimed().model_dump(mode="json")["spec"]
    assert control_plane.job(job).model_dump(mode="json")["spec"]["preemptible"] is True


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

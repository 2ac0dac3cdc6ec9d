"""Which jobs are preempted, and when."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from api_tests.support.control_agent import Agent, gpus
from api_tests.support.preempted_jobs import give_back, low_running
from api_tests.support.use_cases import PREEMPT_AFTER_SECONDS, ControlPlane
from service.contract.changes import JobEdit
from service.contract.jobs import Job
from service.control.jobs import edits
from service.control.leases import workers
from service.control.scheduling import preemption
from service.domain.limits import Limit
from service.store import limits
from service.store.tables import jobs as jobs_table

NewAgent = Callable[..., Agent]


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


def test_a_job_names_whom_it_waits_for_before_that_one_is_asked(
    control_plane: ControlPlane, narrow: Agent
) -> None:
    low = control_plane.submit(preemptible=True)
    narrow.beat(narrow.claimed())
    urgent, next_one, equal = (control_plane.submit(priority=5) for _ in range(3))
    assert control_plane.preempt() == 0
    reason = control_plane.job(urgent).wait_reason
    assert reason == (
        f"it waits for {low.id} on wrk_1, which saves and gives its place once it has run for a "
        "while"
    )
    assert control_plane.job(next_one).wait_reason == "all workers are busy"
    assert control_plane.job(equal).wait_reason == "all workers are busy"
    control_plane.later(PREEMPT_AFTER_SECONDS)
    assert control_plane.job(urgent).wait_reason == reason
    assert control_plane.preempt() == 1
    reason = control_plane.job(urgent).wait_reason
    assert reason == f"it waits for {low.id} on wrk_1 to save and give its place"


def test_whom_it_waits_for_is_not_looked_for_where_that_would_take_long(
    control_plane: ControlPlane, narrow: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preemption, "_MOST_PAIRS", 1)
    low = control_plane.submit(preemptible=True)
    narrow.beat(narrow.claimed())
    urgent = control_plane.submit(priority=5)
    assert f"it waits for {low.id}" in str(control_plane.job(urgent).wait_reason)
    control_plane.submit(priority=5)
    assert control_plane.job(urgent).wait_reason == "all workers are busy"
    control_plane.later(PREEMPT_AFTER_SECONDS)
    assert control_plane.preempt() == 1


def test_a_job_says_of_which_jobs_it_waits_for_the_places(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(2))
    low = [control_plane.submit(resources={"gpus": 1}, preemptible=True) for _ in range(2)]
    for free in (2, 1):
        agent.beat(agent.claimed(free_gpus=free))
    wide = control_plane.submit(resources={"gpus": 2}, priority=5)
    other = control_plane.submit(resources={"gpus": 2})
    reason = control_plane.job(wide).wait_reason
    assert reason is not None
    assert {each.id for each in low} == set(re.findall(r"job_\w+", reason))
    assert "which save and give their places once all have run for a while" in reason
    assert control_plane.job(other).wait_reason == "no worker has 2 free GPUs"


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

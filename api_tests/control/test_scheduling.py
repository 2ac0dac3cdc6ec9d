from collections.abc import Callable

import pytest

from api_tests.support.control_agent import Agent, gpus
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim
from service.contract.jobs import Job, JobState
from service.control.leases import workers
from service.domain.limits import Limit
from service.store import limits

NewAgent = Callable[..., Agent]


def wide(control_plane: ControlPlane, number: int, **fields: object) -> Job:
    params = {"batch_size": 32 * number}
    return control_plane.submit(resources={"gpus": number}, params=params, **fields)


def test_several_small_jobs_share_a_worker_until_its_gpus_are_given(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    jobs = [wide(control_plane, 1) for _ in range(3)]
    agent = new_agent(gpus=gpus(2))
    assert [claimed_id(agent, free_gpus=2), claimed_id(agent, free_gpus=1)] == ids(jobs[:2])
    assert agent.claim(free_gpus=0) is None
    assert control_plane.job(jobs[2]).wait_reason == "no worker has 1 free GPU"


def test_a_wide_job_is_not_starved_by_narrow_ones(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(2), slots=8)
    running = [wide(control_plane, 1) for _ in range(2)]
    first, second = agent.claimed(free_gpus=2), agent.claimed(free_gpus=1)
    big = wide(control_plane, 2)
    narrow = wide(control_plane, 1)
    agent.report(first)
    assert agent.claim(free_gpus=1) is None
    assert control_plane.job(big).wait_reason == "no worker has 2 free GPUs"
    reason = f"the free GPUs are kept for {big.id}, which is ahead of it"
    assert control_plane.job(narrow).wait_reason == reason
    agent.report(second)
    assert claimed_id(agent, free_gpus=2) == big.id
    assert ids(running) == [first.job_id, second.job_id]


def test_one_worker_is_kept_for_a_wide_job_and_the_others_go_on(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    nearer, other = new_agent(gpus=gpus(4)), new_agent(gpus=gpus(4))
    for agent, number in ((nearer, 1), (other, 3)):
        wide(control_plane, number)
        agent.claimed(free_gpus=4)
    wide(control_plane, 4)
    narrow = wide(control_plane, 1)
    assert nearer.claim(free_gpus=3) is None
    assert claimed_id(other, free_gpus=1) == narrow.id


def test_a_job_without_gpus_passes_a_wide_one_but_leaves_it_a_slot(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(2), slots=3)
    wide(control_plane, 1)
    agent.claimed(free_gpus=2)
    big = wide(control_plane, 2)
    light = [control_plane.submit(), control_plane.submit()]
    assert claimed_id(agent, free_slots=2, free_gpus=1) == light[0].id
    assert agent.claim(free_slots=1, free_gpus=1) is None
    reason = f"the free slot is kept for {big.id}, which is ahead of it"
    assert control_plane.job(light[1]).wait_reason == reason


def test_a_narrow_job_of_higher_priority_goes_before_a_wide_one(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(2))
    wide(control_plane, 1)
    agent.claimed(free_gpus=2)
    wide(control_plane, 2)
    urgent = wide(control_plane, 1, priority=1)
    assert claimed_id(agent, free_gpus=1) == urgent.id


def test_a_job_that_nobody_can_run_is_in_nobodys_way(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(2))
    elsewhere = {"resources": {"gpus": 1, "labels": {"gpu": "H200"}}}
    too_wide = {"resources": {"gpus": 4}, "params": {"batch_size": 128}}
    control_plane.submit_all(*[elsewhere, too_wide] * 150)
    narrow = wide(control_plane, 1)
    assert claimed_id(agent, free_gpus=2) == narrow.id


def test_a_label_runs_as_many_jobs_as_it_may(control_plane: ControlPlane, agent: Agent) -> None:
    limit(control_plane, Limit("team", "vision", 1))
    vision = [control_plane.submit(labels={"team": "vision"}) for _ in range(120)]
    speech = control_plane.submit(labels={"team": "speech"})
    claim = agent.claimed()
    assert claim.job_id == vision[0].id
    assert claimed_id(agent) == speech.id
    assert agent.claim() is None
    reason = "team=vision has 1 running, which is its limit"
    assert control_plane.job(vision[1]).wait_reason == reason
    control_plane.cancel(vision[0])
    assert agent.claim() is None
    agent.report(claim, "released", "released")
    assert claimed_id(agent) == vision[1].id


def test_a_limit_for_each_value_is_counted_by_value(
    control_plane: ControlPlane, agent: Agent
) -> None:
    limit(control_plane, Limit("owner", "*", 1), Limit("owner", "ann", 2))
    for owner in ("ann", "ann", "ann", "bob", "bob"):
        control_plane.submit(labels={"owner": owner})
    plain = control_plane.submit()
    taken = [agent.claimed() for _ in range(4)]
    owners = [claim.job_spec.labels.get("owner") for claim in taken]
    assert owners == ["ann", "ann", "bob", None]
    assert taken[-1].job_id == plain.id
    assert agent.claim() is None


def test_the_last_try_of_a_job_goes_to_another_worker_where_there_is_one(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    first, other = new_agent(slots=1), new_agent(slots=1)
    job = control_plane.submit()
    for _ in range(2):
        first.register()
        first.claimed()
        control_plane.later(301)
        control_plane.sweep()
    first.register()
    other.register()
    assert first.claim() is None
    assert other.claim() is not None
    assert control_plane.job(job).state is JobState.RUNNING


def test_a_job_lost_on_the_only_free_worker_says_that_it_waits_for_another(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    first, other = new_agent(slots=1), new_agent(slots=1)
    busy = control_plane.submit()
    assert other.claimed().job_id == busy.id
    lost = control_plane.submit()
    for _ in range(2):
        first.report(first.claimed(), "failed", "worker_lost")
        control_plane.later(20)
        control_plane.sweep()
    assert first.claim() is None
    reason = f"it was lost on {first.id}, and waits for another worker"
    assert control_plane.job(lost).wait_reason == reason
    with control_plane.write() as tx:
        workers.drain(tx, other.id, control_plane.now)
    assert claimed_id(first) == lost.id


def test_where_no_worker_takes_jobs_the_queue_says_so(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    with control_plane.write() as tx:
        workers.drain(tx, agent.id, control_plane.now)
    assert control_plane.job(job).wait_reason == "no worker takes jobs now"
    assert agent.claim() is None


def test_a_wait_after_a_failure_is_said_until_it_is_over(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.report(agent.claimed(), "failed", "crashed")
    assert control_plane.job(job).wait_reason == "it waits before its next try"
    control_plane.later(10)
    control_plane.sweep()
    assert control_plane.job(job).wait_reason is None
    assert claimed_id(agent) == job.id


@pytest.mark.parametrize(("free", "reason"), [(1, None), (0, "all workers are busy")])
def test_a_job_that_is_about_to_run_waits_for_nothing(
    control_plane: ControlPlane, new_agent: NewAgent, free: int, reason: str | None
) -> None:
    agent = new_agent(slots=1)
    if not free:
        control_plane.submit()
        agent.claimed()
    assert control_plane.job(control_plane.submit()).wait_reason == reason


def limit(control_plane: ControlPlane, *wanted: Limit) -> None:
    with control_plane.write() as tx:
        limits.put(tx, wanted)


def ids(jobs: list[Job]) -> list[str]:
    return [job.id for job in jobs]


def claimed_id(agent: Agent, **capacity: int) -> str:
    claim: Claim | None = agent.claim(**capacity)
    assert claim is not None
    return claim.job_id

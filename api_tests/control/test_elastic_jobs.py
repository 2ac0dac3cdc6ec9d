"""A job with a range of GPUs takes what is free at each claim, of the numbers that it may have."""

from collections.abc import Callable
from typing import Any

import pytest

from api_tests.support.control_agent import Agent, gpus
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import Job
from service.domain.errors import Unprocessable

NewAgent = Callable[..., Agent]


def elastic(control_plane: ControlPlane, least: int, most: int, **fields: Any) -> Job:
    return control_plane.submit(resources={"gpus": {"min": least, "max": most}}, **fields)


def fixed(control_plane: ControlPlane, number: int, **fields: Any) -> Job:
    params = {"batch_size": 32 * number}
    return control_plane.submit(resources={"gpus": number}, params=params, **fields)


def given(agent: Agent, free_gpus: int, **capacity: int) -> int:
    return agent.claimed(free_gpus=free_gpus, **capacity).spec.resources.gpu_count


@pytest.mark.parametrize(("free", "number"), [(2, 2), (3, 2), (5, 4), (7, 4), (8, 8), (9, 8)])
def test_a_claim_gives_as_many_free_gpus_as_can_share_the_batch(
    control_plane: ControlPlane, new_agent: NewAgent, free: int, number: int
) -> None:
    job, agent = elastic(control_plane, 2, 8), new_agent(gpus=gpus(9))
    claim = agent.claimed(free_gpus=free)
    assert (claim.spec.resources.gpus, claim.spec.resources.world_size) == (number, number)
    [attempt] = control_plane.attempts_of(job)
    assert attempt.gpu_count == number
    assert control_plane.events_of(job, "claimed")[0].message == (
        f"claimed by {agent.id} with {number} GPUs, of 2 to 8 that it may have"
    )


@pytest.mark.parametrize(("parts", "number"), [(2, 8), (4, 4), (8, 2)])
def test_the_share_of_each_gpu_can_be_worked_through_in_equal_parts(
    control_plane: ControlPlane, new_agent: NewAgent, parts: int, number: int
) -> None:
    # Two images or more at once of a batch of 32, since batch norm may refuse one.
    elastic(control_plane, 2, 8, params={"batch_size": 32, "accumulate": parts})
    assert given(new_agent(gpus=gpus(8)), 8) == number


@pytest.mark.parametrize(
    ("least", "parts", "pointer", "message"),
    [
        (2, 5, "/params/accumulate", "accumulate 5 does not divide the 32 images of a batch in"),
        (9, 4, "/resources/gpus", "from 9 to 12 in 4 parts: let the range have 8 in it"),
    ],
)
def test_parts_that_no_number_can_share_are_refused(
    control_plane: ControlPlane, least: int, parts: int, pointer: str, message: str
) -> None:
    with pytest.raises(Unprocessable, match=message) as refused:
        elastic(control_plane, least, 12, params={"batch_size": 32, "accumulate": parts})
    assert refused.value.pointer == pointer


def test_the_same_claim_sent_again_has_the_same_number(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    elastic(control_plane, 1, 4)
    agent = new_agent(gpus=gpus(4))
    first, again = agent.claim("one", free_gpus=4), agent.claim("one", free_gpus=2)
    assert first is not None
    assert first == again
    assert first.spec.resources.gpus == 4


def test_it_waits_for_its_least_number_alone(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(4))
    # Three cannot share a batch of 32.
    job = elastic(control_plane, 3, 8)
    assert agent.claim(free_gpus=3) is None
    fixed(control_plane, 1, priority=1)
    agent.claimed(free_gpus=4)
    assert control_plane.job(job).wait_reason == "no worker has 4 free GPUs"
    wider = elastic(control_plane, 5, 8)
    reason = str(control_plane.job(wider).wait_reason)
    assert reason.startswith("no worker has 8 GPUs: the widest")


def test_a_later_claim_may_give_more_and_both_attempts_say_how_many(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job = elastic(control_plane, 1, 8)
    small, large = new_agent(gpus=gpus(2)), new_agent(gpus=gpus(8))
    claim = small.claimed(free_gpus=2)
    small.report(claim, "released", "released")
    assert given(large, 8) == 8
    assert [each.gpu_count for each in control_plane.attempts_of(job)] == [2, 8]
    assert [each.message for each in control_plane.events_of(job, "claimed")] == [
        f"claimed by {small.id} with 2 GPUs, of 1 to 8 that it may have",
        f"claimed by {large.id} with 8 GPUs, of 1 to 8 that it may have",
    ]
    assert control_plane.job(job).spec.resources.gpu_range is not None


def test_what_it_was_given_counts_as_taken(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    elastic(control_plane, 1, 2)
    agent = new_agent(gpus=gpus(4))
    assert given(agent, 4) == 2
    big, small = fixed(control_plane, 3), fixed(control_plane, 2)
    # Were it counted as its least, the database would have three free.
    assert control_plane.job(big).wait_reason == "no worker has 3 free GPUs"
    assert agent.claim(free_gpus=2) is None
    assert control_plane.job(small).wait_reason == (
        f"the free GPUs are kept for {big.id}, which is ahead of it"
    )


def test_the_gpus_kept_for_a_wide_job_are_not_given_beyond_the_least(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(8), slots=8)
    fixed(control_plane, 5)
    agent.claimed(free_gpus=8)
    wide = fixed(control_plane, 4)
    ahead = elastic(control_plane, 1, 8, priority=1)
    behind = elastic(control_plane, 1, 8)
    assert agent.claimed(free_gpus=3).job_id == ahead.id
    assert [each.gpu_count for each in control_plane.attempts_of(ahead)] == [1]
    assert agent.claim(free_gpus=2) is None
    reason = f"the free GPUs are kept for {wide.id}, which is ahead of it"
    assert control_plane.job(behind).wait_reason == reason


def test_it_takes_what_the_wide_job_does_not_need_of_a_worker_kept_for_it(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(8), slots=8)
    low = [fixed(control_plane, 4, preemptible=True, priority=-1) for _ in range(2)]
    running = [agent.claimed(free_gpus=8), agent.claimed(free_gpus=4)]
    control_plane.later(60)
    urgent = fixed(control_plane, 4)
    assert control_plane.preempt() == 1
    ahead = elastic(control_plane, 1, 8, priority=1)
    for claim in running:
        agent.report(claim, "released", "released")
    assert agent.claimed(free_gpus=8).job_id == ahead.id
    assert [each.gpu_count for each in control_plane.attempts_of(ahead)] == [4]
    assert agent.claimed(free_gpus=4).job_id == urgent.id
    assert len(low) == 2


def test_a_job_of_hosts_has_the_number_on_each(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(8), slots=2, hosts=2)
    resources = {"gpus": {"min": 1, "max": 8}, "hosts": 2}
    job = control_plane.submit(resources=resources, params={"batch_size": 20})
    claim = agent.claimed(free_slots=2, free_gpus=8)
    assert (claim.spec.resources.gpus, claim.spec.resources.world_size) == (5, 10)
    assert "with 5 GPUs on each host" in control_plane.events_of(job, "claimed")[0].message


def test_no_claim_leaves_a_rank_a_single_image_if_another_number_does_not(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(8))
    elastic(control_plane, 2, 8, params={"batch_size": 8})
    assert given(agent, 8) == 4
    elastic(control_plane, 8, 8, params={"batch_size": 8})
    assert given(agent, 8) == 8


def test_an_eval_may_have_any_number_of_its_range(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(8))
    control_plane.submit(
        kind="eval",
        checkpoint={"file": "weights.pt"},
        params={},
        resources={"gpus": {"min": 1, "max": 1024}},
    )
    assert given(agent, 7) == 7


@pytest.mark.parametrize(
    ("resources", "batch", "message"),
    [
        ({"min": 6, "max": 7}, 100, "from 6 to 7: let the range have 5 or 10 in it"),
        ({"min": 14, "max": 16}, 13, "from 14 to 16: let the range have 13 in it"),
        ({"min": 2, "max": 6}, 7, "from 2 to 6: let the range have 1 or 7 in it"),
    ],
)
def test_a_range_in_which_no_number_shares_the_batch_is_refused_with_those_that_do(
    control_plane: ControlPlane, resources: dict[str, int], batch: int, message: str
) -> None:
    with pytest.raises(Unprocessable, match=message) as refused:
        control_plane.submit(resources={"gpus": resources}, params={"batch_size": batch})
    assert refused.value.pointer == "/resources/gpus"


def test_a_batch_that_no_number_of_hosts_could_share_says_so(control_plane: ControlPlane) -> None:
    resources = {"gpus": {"min": 1, "max": 8}, "hosts": 3}
    with pytest.raises(Unprocessable, match="on each of 3 hosts: use a batch_size that 3 divides"):
        control_plane.submit(resources=resources, params={"batch_size": 32})


def test_a_preempted_job_goes_on_with_what_is_left(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(8), slots=8)
    low = elastic(control_plane, 2, 8, preemptible=True)
    claim = agent.claimed(free_gpus=8)
    control_plane.later(60)
    urgent = fixed(control_plane, 4, priority=1)
    assert control_plane.preempt() == 1
    agent.report(claim, "released", "preempted")
    assert agent.claimed(free_gpus=8).job_id == urgent.id
    assert given(agent, 4) == 4
    assert [each.gpu_count for each in control_plane.attempts_of(low)] == [8, 4]


def test_nobody_is_preempted_for_more_than_the_least(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(8), slots=8)
    fixed(control_plane, 6, preemptible=True)
    agent.claimed(free_gpus=8)
    control_plane.later(60)
    urgent = elastic(control_plane, 2, 8, priority=1)
    assert control_plane.preempt() == 0
    assert agent.claimed(free_gpus=2).job_id == urgent.id
    elastic(control_plane, 4, 8, priority=1)
    assert control_plane.preempt() == 1

"""Which worker a job of several hosts gets, and what it says where there is none."""

from collections.abc import Callable

from api_tests.support.control_agent import Agent, gpus
from api_tests.support.use_cases import ControlPlane

NewAgent = Callable[..., Agent]


def test_a_worker_that_stands_for_hosts_gives_each_attempt_whole_ones(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(4), slots=3, hosts=3)
    two = control_plane.submit(resources={"gpus": 4, "hosts": 2})
    one, other = (control_plane.submit(resources={"gpus": 2}) for _ in range(2))
    assert agent.claimed(free_slots=3, free_gpus=4).job_id == two.id
    assert agent.claimed(free_slots=1, free_gpus=4).job_id == one.id
    # Its GPUs are those of each host: of no host is there a slot left.
    assert control_plane.job(other).wait_reason == "all workers are busy"
    assert agent.claim(free_slots=0, free_gpus=4) is None


def test_a_job_of_hosts_is_kept_room_for(control_plane: ControlPlane, new_agent: NewAgent) -> None:
    agent = new_agent(slots=3, hosts=3)
    first, _ = control_plane.submit(), control_plane.submit()
    running = [agent.claimed(free_slots=3), agent.claimed(free_slots=2)]
    big = control_plane.submit(resources={"hosts": 2, "ranks": 2})
    narrow = control_plane.submit()
    assert agent.claim(free_slots=1) is None
    assert control_plane.job(big).wait_reason == "all workers are busy"
    reason = f"the free slot is kept for {big.id}, which is ahead of it"
    assert control_plane.job(narrow).wait_reason == reason
    agent.report(running[0])
    assert agent.claimed(free_slots=2).job_id == big.id
    assert first.id == running[0].job_id


def test_a_job_of_more_hosts_than_any_worker_has_says_what_to_start(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(slots=8)
    job = control_plane.submit(resources={"hosts": 2})
    assert agent.claim(free_slots=8) is None
    assert control_plane.job(job).wait_reason == (
        f"no worker stands for 2 hosts: the widest, {agent.id}, for 1, and it cannot start until a "
        "wider one comes; start one with a launcher for several, or submit the job with fewer"
    )


def test_a_job_needs_its_hosts_and_their_gpus_of_one_worker(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    new_agent(gpus=gpus(8))
    two_hosts = new_agent(slots=2, hosts=2, gpus=gpus(4))
    job = control_plane.submit(resources={"gpus": 8, "hosts": 2})
    assert control_plane.job(job).wait_reason == (
        f"no worker of 2 hosts has 8 GPUs on each: the widest, {two_hosts.id}, has 4, and it "
        "cannot start until a wider one comes"
    )
    narrower = control_plane.submit(resources={"gpus": 4, "hosts": 2})
    assert control_plane.job(narrower).wait_reason is None

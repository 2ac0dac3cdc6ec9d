"""Workers some of whose GPUs cannot be used: which jobs they get, and why the others wait."""

from collections.abc import Callable

from api_tests.support.control_agent import Agent, gpus
from api_tests.support.use_cases import ControlPlane
from service.contract.registration import Gpu
from service.control.leases import workers

NewAgent = Callable[..., Agent]
LOST = "the driver has lost it"


def with_problems(number: int, *lost: int) -> tuple[Gpu, ...]:
    return tuple(
        gpu.model_copy(update={"problem": LOST if gpu.index in lost else None})
        for gpu in gpus(number)
    )


def test_a_lost_gpu_is_none_for_a_wide_job_which_says_what_it_waits_for(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=with_problems(2, 1))
    wide = control_plane.submit(resources={"gpus": 2})
    reason = f"no worker can give 2 GPUs: of the 2 of {agent.id}, GPU 1: {LOST}"
    assert control_plane.job(wide).wait_reason == reason
    assert agent.claim(free_gpus=1) is None
    # A reservation for what cannot start would hold up all narrower ones.
    narrow = control_plane.submit(resources={"gpus": 1})
    claim = agent.claim(free_gpus=1)
    assert claim is not None
    assert claim.job_id == narrow.id


def test_a_job_wider_than_every_worker_names_the_widest(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    new_agent(gpus=gpus(1))
    widest = new_agent(gpus=gpus(4))
    wide = control_plane.submit(resources={"gpus": 8})
    then = "it cannot start until a wider one comes"
    reason = f"no worker has 8 GPUs: the widest, {widest.id}, has 4, and {then}"
    assert control_plane.job(wide).wait_reason == reason
    new_agent(gpus=gpus(8))
    assert control_plane.job(wide).wait_reason is None


def test_a_gpu_that_comes_back_is_given_out_again(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=with_problems(1, 0))
    job = control_plane.submit(resources={"gpus": 1})
    assert control_plane.job(job).wait_reason == (
        f"no worker can give 1 GPU: of the 1 of {agent.id}, GPU 0: {LOST}"
    )
    agent.registration = agent.registration.model_copy(update={"gpus": gpus(1)})
    agent.register()
    assert control_plane.job(job).wait_reason is None
    assert agent.claimed().job_id == job.id


def test_a_job_that_found_no_usable_gpu_waits_for_another_worker_and_says_why(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    agent = new_agent(gpus=gpus(1))
    job = control_plane.submit(resources={"gpus": 1}, max_failures=0)
    claim = agent.claimed()
    problem = "torch cannot use the GPU: the NVIDIA driver on your system is too old"
    unusable = tuple(gpu.model_copy(update={"problem": problem}) for gpu in gpus(1))
    agent.registration = agent.registration.model_copy(update={"gpus": unusable})
    agent.register()
    agent.report(claim, "failed", "worker_unfit", message=f"{problem} (GPU 0 of this worker)")
    control_plane.later(600)
    agent.register()
    control_plane.sweep()
    waiting = control_plane.job(job)
    assert waiting.state == "queued"
    assert problem in str(waiting.wait_reason)
    with control_plane.database.read() as tx:
        assert workers.get(tx, agent.id).usable_gpu_count == 0
    sound = new_agent(gpus=gpus(1))
    assert sound.claimed().job_id == job.id

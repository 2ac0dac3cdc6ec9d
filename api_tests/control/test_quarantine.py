from collections.abc import Callable

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Heartbeat
from service.contract.workers import Worker, WorkerState
from service.control.leases import heartbeats, workers
from service.store import workers as store

NewAgent = Callable[..., Agent]


def test_three_different_jobs_that_fail_at_once_quarantine_their_worker_which_says_why(
    control_plane: ControlPlane, agent: Agent
) -> None:
    waiting = [control_plane.submit(max_failures=0) for _ in range(4)]
    for _ in range(3):
        fail(control_plane, agent, 60, message="no such device")
    found = worker_of(control_plane, agent)
    assert found.state is WorkerState.QUARANTINED
    assert found.message is not None
    assert "3 different jobs failed within 60 s" in found.message
    assert "no such device" in found.message
    assert agent.claim() is None
    assert control_plane.job(waiting[3]).wait_reason == "no worker takes jobs now"
    with control_plane.write() as tx:
        assert heartbeats.heartbeat(tx, Heartbeat(worker_id=agent.id), control_plane.now).drain


def test_a_quarantined_worker_that_registers_again_stays_so(
    control_plane: ControlPlane, agent: Agent
) -> None:
    for _ in range(3):
        control_plane.submit(max_failures=0)
        fail(control_plane, agent, 1)
    agent.register()
    assert worker_of(control_plane, agent).state is WorkerState.QUARANTINED


def test_a_quarantined_worker_is_let_out_by_hand_and_starts_afresh(
    control_plane: ControlPlane, agent: Agent
) -> None:
    for _ in range(3):
        control_plane.submit(max_failures=0)
        fail(control_plane, agent, 1)
    with control_plane.write() as tx:
        workers.drain(tx, agent.id, control_plane.now)
        assert workers.get(tx, agent.id).state is WorkerState.QUARANTINED
        workers.resume(tx, agent.id, control_plane.now)
        resumed = workers.get(tx, agent.id)
    assert (resumed.state, resumed.message) == (WorkerState.ACTIVE, None)
    for _ in range(2):
        control_plane.submit(max_failures=0)
        fail(control_plane, agent, 1)
    assert worker_of(control_plane, agent).state is WorkerState.ACTIVE


def test_a_worker_that_lacks_its_data_is_quarantined_and_costs_no_job_its_end(
    control_plane: ControlPlane, agent: Agent
) -> None:
    waiting = [control_plane.submit(max_failures=0) for _ in range(3)]
    for _ in waiting:
        fail(control_plane, agent, 1, "worker_unfit", message="it cannot read its data root /mnt")
    found = worker_of(control_plane, agent)
    assert found.state is WorkerState.QUARANTINED
    assert "/mnt" in str(found.message)
    assert {control_plane.job(job).state for job in waiting} == {"queued"}


def test_one_job_that_fails_three_times_speaks_against_itself(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit(max_failures=9)
    for _ in range(4):
        fail(control_plane, agent, 1, "crashed")
        control_plane.later(600)
    assert worker_of(control_plane, agent).state is WorkerState.ACTIVE


def test_failures_after_more_than_a_minute_speak_against_the_jobs(
    control_plane: ControlPlane, agent: Agent
) -> None:
    for _ in range(4):
        control_plane.submit(max_failures=0)
        fail(control_plane, agent, 61)
    assert worker_of(control_plane, agent).state is WorkerState.ACTIVE


def test_a_job_that_succeeds_between_them_speaks_for_the_worker(
    control_plane: ControlPlane, agent: Agent
) -> None:
    for number in range(5):
        control_plane.submit(max_failures=0)
        if number == 2:
            agent.report(agent.claimed())
        else:
            fail(control_plane, agent, 1)
        control_plane.later(1)
    assert worker_of(control_plane, agent).state is WorkerState.ACTIVE


def fail(
    control_plane: ControlPlane,
    agent: Agent,
    seconds: float,
    reason: str = "crashed",
    **fields: str,
) -> None:
    claim = agent.claimed()
    control_plane.later(seconds)
    agent.report(claim, "failed", reason, **fields)


def worker_of(control_plane: ControlPlane, agent: Agent) -> Worker:
    with control_plane.database.read() as tx:
        worker = store.get(tx, agent.id)
    assert worker is not None
    return worker


@pytest.mark.parametrize(
    "reason",
    ["disk_full", "invalid_data", "incompatible_checkpoint", "non_finite_loss", "out_of_memory"],
)
def test_what_is_not_a_workers_fault_speaks_against_none(
    control_plane: ControlPlane, agent: Agent, reason: str
) -> None:
    for _ in range(4):
        control_plane.submit(max_failures=0)
        fail(control_plane, agent, 1, reason)
    assert worker_of(control_plane, agent).state is WorkerState.ACTIVE

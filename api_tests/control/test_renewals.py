"""A server that starts renews what could not be renewed since no server was there, and no more."""

from collections.abc import Callable

from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import JobState
from service.contract.workers import WorkerState
from service.control.leases.renewals import Renewals, renew_after_outage
from service.store import server_heartbeats, workers

HEARTBEAT_SECONDS = 10.0
UNREACHABLE_SECONDS = 60.0
OUTAGE_SECONDS = 100_000.0
NewAgent = Callable[..., Agent]


def test_a_lease_in_contact_until_the_server_died_is_renewed(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    server_is_alive(control_plane)
    control_plane.later(OUTAGE_SECONDS)
    assert restarted(control_plane) == Renewals(leases=1, workers=1)
    assert control_plane.sweep() == 0
    assert not agent.beat(claim).lease_lost
    assert control_plane.job(job).state is JobState.RUNNING


def test_a_lease_that_was_not_renewed_while_the_server_ended_is_renewed(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    agent.claimed()
    control_plane.later(UNREACHABLE_SECONDS)
    server_is_alive(control_plane)
    control_plane.later(OUTAGE_SECONDS)
    assert restarted(control_plane) == Renewals(leases=1, workers=1)


def test_a_worker_that_was_silent_before_the_server_died_gets_no_more_time(
    control_plane: ControlPlane, new_agent: NewAgent
) -> None:
    job, silent = control_plane.submit(), new_agent()
    silent.claimed()
    control_plane.later(UNREACHABLE_SECONDS + 1)
    talking = new_agent()
    server_is_alive(control_plane)
    control_plane.later(OUTAGE_SECONDS)
    assert restarted(control_plane) == Renewals(leases=0, workers=1)
    control_plane.sweep()
    assert control_plane.attempts_of(job)[0].reason == "worker_lost"
    assert state_of(control_plane, silent) is WorkerState.LOST
    assert state_of(control_plane, talking) is WorkerState.ACTIVE


def test_nothing_is_renewed_while_another_server_is_alive(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    agent.claimed()
    control_plane.later(301)
    server_is_alive(control_plane, "srv_other")
    control_plane.later(HEARTBEAT_SECONDS)
    assert restarted(control_plane, shared=True) == Renewals(leases=0, workers=0)
    assert control_plane.sweep() == 1


def test_a_server_that_has_stopped_or_died_keeps_no_lease_from_being_renewed(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    agent.claimed()
    server_is_alive(control_plane, "srv_dead")
    control_plane.later(1)
    with control_plane.write() as tx:
        server_heartbeats.put(tx, "srv_stopped", control_plane.now, stopped=True)
    control_plane.later(HEARTBEAT_SECONDS)
    assert restarted(control_plane, shared=True) == Renewals(leases=1, workers=1)


def test_a_server_over_a_file_of_its_own_asks_for_no_other(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    agent.claimed()
    server_is_alive(control_plane)
    assert restarted(control_plane, shared=False) == Renewals(leases=1, workers=1)


def test_every_lease_is_renewed_where_no_server_ever_noted_that_it_was_alive(
    control_plane: ControlPlane, agent: Agent
) -> None:
    control_plane.submit()
    agent.claimed()
    control_plane.later(OUTAGE_SECONDS)
    assert restarted(control_plane) == Renewals(leases=1, workers=1)
    assert control_plane.sweep() == 0


def server_is_alive(control_plane: ControlPlane, server_id: str = "srv_1") -> None:
    with control_plane.write() as tx:
        server_heartbeats.put(tx, server_id, control_plane.now)


def restarted(control_plane: ControlPlane, *, shared: bool = False) -> Renewals:
    with control_plane.write() as tx:
        return renew_after_outage(
            tx,
            shared=shared,
            heartbeat_seconds=HEARTBEAT_SECONDS,
            unreachable_seconds=UNREACHABLE_SECONDS,
            now=control_plane.now,
        )


def state_of(control_plane: ControlPlane, agent: Agent) -> WorkerState:
    with control_plane.database.read() as tx:
        worker = workers.get(tx, agent.id)
    assert worker is not None
    return worker.state

"""Whether a sweep would change anything, asked of the times of all attempts and workers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from api_tests.support.control_agent import Agent
from api_tests.support.use_cases import WINDOWS, ControlPlane
from service.contract.agent import Claim
from service.control.leases import reaper
from service.store.tables import attempts, workers

NewAgent = Callable[..., Agent]
AHEAD, LATE = timedelta(seconds=61), timedelta(seconds=-61)


@pytest.fixture
def claims(control_plane: ControlPlane, new_agent: NewAgent) -> list[Claim]:
    """Three attempts that run, each on a worker of its own."""
    agents = [new_agent() for _ in range(3)]
    for _ in agents:
        control_plane.submit()
    return [agent.claimed() for agent in agents]


@pytest.mark.parametrize("moved", [AHEAD, LATE], ids=["ahead", "late"])
@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("of_worker", [False, True], ids=["attempt", "worker"])
def test_one_of_many_is_seen(
    control_plane: ControlPlane,
    claims: list[Claim],
    moved: timedelta,
    number: int,
    of_worker: bool,
) -> None:
    assert not _is_due(control_plane)
    moment = control_plane.now + moved
    with control_plane.write() as tx:
        if of_worker:
            ids = tx.execute(attempts.select().order_by(attempts.c.job_id)).all()
            worker = workers.c.id == ids[number].worker_id
            tx.execute(update(workers).where(worker).values(last_seen_at=moment))
        else:
            attempt = attempts.c.job_id == claims[number].job_id
            tx.execute(update(attempts).where(attempt).values(renewed_at=moment))
    assert _is_due(control_plane)


def test_each_state_has_its_own_time(control_plane: ControlPlane, new_agent: NewAgent) -> None:
    control_plane.submit()
    control_plane.submit()
    beating, starting = new_agent(), new_agent()
    claim = beating.claimed()
    assert starting.claim() is not None
    control_plane.later(29)
    beating.beat(claim)
    assert not _is_due(control_plane)
    control_plane.later(2)
    assert _is_due(control_plane)


def _is_due(control_plane: ControlPlane) -> bool:
    with control_plane.database.read() as tx:
        return reaper.is_due(tx, WINDOWS, control_plane.now)

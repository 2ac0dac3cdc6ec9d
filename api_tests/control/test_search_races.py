"""A search and its parts, two transactions at once: none waits for the other for ever."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.searches import found
from api_tests.support.searching_yard import POPULATION, SearchingYard, edit, given
from api_tests.support.stopped_transaction import POINTS, StoppedTransaction
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import BeatReply, Claim
from service.contract.bulk import BulkRequest
from service.contract.ids import ulid
from service.contract.jobs import ENDED_JOBS, JobState
from service.control.jobs import bulk
from service.control.jobs.bulk_call import BulkCall


@pytest.fixture(params=POINTS)
def at(request: pytest.FixtureRequest) -> str:
    """Where the first party is held."""
    return str(request.param)


@pytest.fixture
def yard(control_plane: ControlPlane, agent: Agent) -> SearchingYard:
    """A search whose first population three jobs are to measure."""
    yard = SearchingYard(control_plane, agent)
    yard.wants(*range(POPULATION))
    return yard


@pytest.fixture
def behind(yard: SearchingYard) -> SearchingYard:
    """Its parts are made by a server whose clock is behind that of the one that has the search."""
    yard.part_ids = (f"job_{ulid(0, number)}" for number in count(1))
    return yard


def claimed(yard: SearchingYard) -> Claim:
    """The first part, which runs."""
    yard.turn()
    return yard.agent.claimed()


def race(yard: SearchingYard, at: str, first: Any, second: Any) -> tuple[Any, Any]:
    results: tuple[Any, Any] = StoppedTransaction(yard.control_plane.database, at).race(
        first, second
    )
    assert not [each for each in results if isinstance(each, Exception)]
    return results


def measurement(yard: SearchingYard, claim: Claim) -> Callable[[], BeatReply]:
    """A worker tells what it has measured of a part."""
    return lambda: yard.agent.beat(claim, found(1, *given(claim)))


def race_a_measurement(yard: SearchingYard, at: str, first: Any, second: Any) -> None:
    """One of the two is a measurement: the table has what was acknowledged, and nothing else."""
    (reply,) = (each for each in race(yard, at, first, second) if isinstance(each, BeatReply))
    assert len(yard.table()) == (2 if reply.acked_seq else 0)


def all_have_stopped(yard: SearchingYard) -> None:
    """The search is cancelled, and so are its parts, after a turn at most."""
    yard.turn()
    assert yard.job.state is JobState.CANCELLED
    states = {yard.state_of(part.id) for part in yard.parts()}
    assert states <= {JobState.CANCELLING, *ENDED_JOBS}


def all_have_priority(yard: SearchingYard, priority: int) -> None:
    """The search, and each of its parts."""
    assert {each.spec.priority for each in (yard.job, *yard.parts())} == {priority}


def cancels(yard: SearchingYard) -> dict[str, Callable[[], object]]:
    """Ways to cancel the search, by name."""
    control_plane = yard.control_plane
    request = BulkRequest.model_validate({"action": "cancel", "ids": [yard.search.id]})
    call = BulkCall(request, None, control_plane.now, control_plane.new_job_id)
    return {
        "call": lambda: control_plane.cancel(yard.search),
        "bulk": lambda: bulk.carry_out(control_plane.database, call),
    }


def test_a_measurement_against_a_cancel_of_its_search(yard: SearchingYard, at: str) -> None:
    race_a_measurement(yard, at, measurement(yard, claimed(yard)), cancels(yard)["call"])
    all_have_stopped(yard)


def test_a_cancel_of_a_search_against_a_measurement_for_it(yard: SearchingYard, at: str) -> None:
    race_a_measurement(yard, at, cancels(yard)["call"], measurement(yard, claimed(yard)))
    all_have_stopped(yard)


@pytest.mark.parametrize("by", ["call", "bulk"])
def test_the_end_of_a_part_against_a_cancel_of_its_search(
    yard: SearchingYard, at: str, by: str
) -> None:
    claim = claimed(yard)
    yard.agent.beat(claim, found(1, *given(claim)))
    race(yard, at, lambda: yard.agent.report(claim), cancels(yard)[by])
    all_have_stopped(yard)


def test_the_making_of_parts_against_a_cancel_of_their_search(yard: SearchingYard, at: str) -> None:
    race(yard, at, yard.turn, cancels(yard)["call"])
    all_have_stopped(yard)


def test_a_cancel_of_a_search_against_the_making_of_its_parts(yard: SearchingYard, at: str) -> None:
    race(yard, at, cancels(yard)["call"], yard.turn)
    all_have_stopped(yard)


def test_the_end_of_a_search_with_a_part_against_a_measurement_of_another(
    yard: SearchingYard, at: str
) -> None:
    failed, claim = claimed(yard), yard.agent.claimed()
    yard.agent.report(failed, "failed", "invalid_data")
    race_a_measurement(yard, at, yard.turn, measurement(yard, claim))
    assert yard.job.state is JobState.FAILED


def test_a_cancel_against_a_measurement_by_a_part_of_a_server_whose_clock_is_behind(
    behind: SearchingYard, at: str
) -> None:
    claim = claimed(behind)
    assert all(part.id > behind.search.id for part in behind.parts())
    race_a_measurement(behind, at, cancels(behind)["call"], measurement(behind, claim))
    all_have_stopped(behind)


@pytest.mark.parametrize("by", ["call", "bulk"])
def test_an_edit_of_a_search_against_a_measurement_for_it(
    behind: SearchingYard, at: str, by: str
) -> None:
    measure = measurement(behind, claimed(behind))
    race_a_measurement(behind, at, lambda: edit(behind, by, priority=3), measure)
    all_have_priority(behind, 3)


def test_a_measurement_against_an_edit_of_its_search(behind: SearchingYard, at: str) -> None:
    measure = measurement(behind, claimed(behind))
    race_a_measurement(behind, at, measure, lambda: edit(behind, "call", priority=3))
    all_have_priority(behind, 3)

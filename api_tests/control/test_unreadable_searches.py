"""Searches by several workers whose rows this version cannot read, in whole or in part."""

from typing import Any

import pytest
from sqlalchemy import select, update

from api_tests.support.control_agent import Agent
from api_tests.support.searching_yard import POPULATION, SearchingYard
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import JobState
from service.control.jobs import edits
from service.domain.errors import Conflict
from service.store import search_parts
from service.store.search_tables import search_parts as parts_table
from service.store.tables import jobs


@pytest.fixture
def yard(control_plane: ControlPlane, agent: Agent) -> SearchingYard:
    """A search that asks for its first population."""
    yard = SearchingYard(control_plane, agent)
    yard.wants(*range(POPULATION))
    return yard


def make_unreadable(yard: SearchingYard) -> None:
    """As a later version would have stored the search."""
    own = jobs.c.id == yard.search.id
    with yard.control_plane.write() as tx:
        spec = tx.execute(select(jobs.c.spec).where(own)).scalar_one()
        spec["params"]["population"] = "as many as it takes"
        tx.execute(update(jobs).where(own).values(spec=spec))
    assert yard.job.unreadable is not None


@pytest.mark.parametrize("call", ["cancel", "none"])
def test_the_parts_of_an_unreadable_search_end_with_it(yard: SearchingYard, call: str) -> None:
    yard.turn()
    running = yard.agent.claimed()
    make_unreadable(yard)
    if call == "cancel":
        yard.control_plane.cancel(yard.search)
    else:
        # As by a server that ended before the parts followed.
        with yard.control_plane.write() as tx:
            values = {"state": "cancelled"}
            tx.execute(update(jobs).where(jobs.c.id == yard.search.id).values(**values))
        assert yard.turn()
    states = [yard.state_of(part.id) for part in yard.parts()]
    assert states == [JobState.CANCELLING, JobState.CANCELLED, JobState.CANCELLED]
    with yard.control_plane.write() as tx, pytest.raises(Conflict, match="is ending: delete it"):
        edits.delete(tx, yard.search.id)
    # What has ended is forgotten at once, and then there is nothing to do until the last has.
    assert [yard.turn(), yard.turn()] == [True, False]
    yard.agent.report(running, "cancelled", "cancelled")
    assert yard.turn()
    assert (yard.parts(), yard.turn()) == ([], False)


def test_the_parts_of_an_unreadable_search_are_paused_and_resumed_with_it(
    yard: SearchingYard,
) -> None:
    yard.turn()
    make_unreadable(yard)
    yard.control_plane.pause(yard.search)
    assert {part.state for part in yard.parts()} == {JobState.PAUSED}
    yard.control_plane.resume(yard.search)
    assert {part.state for part in yard.parts()} == {JobState.QUEUED}


UNREADABLE: list[Any] = [[{"path": "1"}], [], {"of": "another version"}, "none"]


@pytest.mark.parametrize("stored", UNREADABLE, ids=["rows", "nothing", "an object", "a text"])
def test_what_a_search_wants_and_cannot_be_read_is_asked_for_again(
    yard: SearchingYard, stored: Any
) -> None:
    with yard.control_plane.write() as tx:
        tx.execute(update(parts_table).values(wanted=stored))
    assert "about to give" in str(yard.job.wait_reason)
    assert yard.turn()
    assert not yard.turn()
    assert yard.parts() == []
    (note,) = yard.control_plane.events_of(yard.search, "note")
    assert "cannot be read" in note.message
    yard.wants(*range(POPULATION))
    assert yard.turn()
    assert len(yard.parts()) == 3
    with yard.control_plane.database.read() as tx:
        assert search_parts.searches(tx) == [yard.search.id]

"""A search that is paused, resumed or cancelled: the jobs that measure for it follow."""

from collections.abc import Callable

import pytest

from api_tests.support.search_fixtures import parted, yard
from api_tests.support.searching_yard import (
    POPULATION,
    SearchingYard,
    edit,
    states,
)
from api_tests.support.use_cases import ControlPlane
from service.contract.bulk import BulkRequest
from service.contract.changes import JobEdit
from service.contract.jobs import Job, JobState
from service.control.jobs import bulk, edits, search_turn
from service.control.jobs.bulk_call import BulkCall
from service.domain.errors import Conflict, Stale
from service.store import search_parts

__all__ = ["parted", "yard"]


@pytest.mark.parametrize("by", ["call", "bulk"])
def test_a_search_is_paused_resumed_and_cancelled_with_its_parts(
    parted: SearchingYard, by: str
) -> None:
    control_plane, running = parted.control_plane, parted.agent.claimed()
    act = _calls(control_plane, parted.search)[by]
    act("pause")
    assert parted.job.state is JobState.PAUSED
    assert states(parted.parts()) == [JobState.PAUSING, JobState.PAUSED, JobState.PAUSED]
    assert parted.agent.beat(running).directive == "checkpoint_and_stop"
    parted.agent.report(running, "released", "released")
    assert parted.agent.claim() is None
    assert not parted.turn()
    act("resume")
    assert states([parted.job, *parted.parts()]) == [JobState.QUEUED] * 4
    # It still waits for them.
    running = parted.agent.claimed()
    assert running.job_id == parted.parts()[0].id
    act("cancel")
    assert parted.job.state is JobState.CANCELLED
    ends = [JobState.CANCELLING, JobState.CANCELLED, JobState.CANCELLED]
    assert states(parted.parts()) == ends
    with control_plane.write() as tx, pytest.raises(Conflict, match="is ending: delete it when"):
        edits.delete(tx, parted.search.id)
    assert [action.name for action in parted.job.actions] == ["retry"]
    parted.agent.report(running, "cancelled", "cancelled")
    assert [action.name for action in parted.job.actions] == ["retry", "delete"]
    with control_plane.write() as tx:
        edits.delete(tx, parted.search.id)
        assert search_parts.searches(tx) == []


def _calls(control_plane: ControlPlane, search: Job) -> dict[str, Callable[[str], object]]:
    def in_bulk(action: str) -> None:
        request = BulkRequest.model_validate({"action": action, "ids": [search.id]})
        call = BulkCall(request, None, control_plane.now, control_plane.new_job_id)
        bulk.carry_out(control_plane.database, call)

    return {
        "call": lambda action: getattr(control_plane, action)(search),
        "bulk": in_bulk,
    }


def test_parts_follow_a_search_that_stopped_without_them(parted: SearchingYard) -> None:
    # As when a server ended between the two, or another made parts at that moment.
    running = parted.agent.claimed()
    with parted.control_plane.write() as tx:
        search_turn.jobs.change(tx, parted.search.id, [JobState.QUEUED], {"state": "paused"})
    assert parted.turn()
    assert states(parted.parts()) == [JobState.PAUSING, JobState.PAUSED, JobState.PAUSED]
    with parted.control_plane.write() as tx:
        search_turn.jobs.change(tx, parted.search.id, [JobState.PAUSED], {"state": "cancelled"})
    assert parted.turn()
    ends = [JobState.CANCELLING, JobState.CANCELLED, JobState.CANCELLED]
    assert states(parted.parts()) == ends
    parted.agent.report(running, "cancelled", "cancelled")
    assert parted.turn()
    assert parted.parts() == []


def test_a_paused_search_gives_nothing_until_it_is_resumed(yard: SearchingYard) -> None:
    yard.wants(*range(POPULATION))
    yard.control_plane.pause(yard.search)
    assert not yard.turn()
    yard.control_plane.resume(yard.search)
    assert yard.agent.claim() is None
    assert yard.turn()
    assert len(yard.parts()) == 3


def test_a_search_that_is_cancelled_before_it_has_parts_never_gets_any(yard: SearchingYard) -> None:
    yard.wants(*range(POPULATION))
    yard.control_plane.cancel(yard.search)
    assert yard.turn()
    assert (yard.parts(), yard.turn()) == ([], False)


@pytest.mark.parametrize("by", ["call", "bulk"])
def test_an_edit_of_a_search_reaches_what_measures_for_it(parted: SearchingYard, by: str) -> None:
    running, ended = parted.agent.claimed(), parted.parts()[-1]
    parted.control_plane.cancel(ended)
    edit(parted, by, priority=7)
    edit(parted, by, labels={"team": "vision"})
    jobs, search = {part.id: part for part in parted.parts()}, parted.job
    assert (search.spec.priority, search.labels) == (7, {"team": "vision"})
    for job_id, part in jobs.items():
        own = {"part_of": search.id}
        labels = own if job_id == ended.id else {"team": "vision"} | own
        assert (part.labels, part.spec.labels) == (labels, labels)
        assert part.spec.priority == (0 if job_id == ended.id else 7)
        assert part.name == f"{search.id}: generation 1, part {int(job_id[-1]) - 2} of 3"
    # It goes before what was submitted before it.
    assert jobs[running.job_id].state is JobState.RUNNING
    parted.control_plane.submit(priority=6)
    assert parted.agent.claimed().job_id in jobs


def test_an_edit_of_a_search_that_is_refused_reaches_no_part(parted: SearchingYard) -> None:
    control_plane, change = parted.control_plane, JobEdit(priority=7)
    with control_plane.write() as tx, pytest.raises(Stale):
        edits.edit(tx, parted.search.id, change, versions=[0], now=control_plane.now)
    assert {part.spec.priority for part in parted.parts()} == {0}


def test_a_new_name_of_a_search_changes_no_part(parted: SearchingYard) -> None:
    before = parted.parts()
    edit(parted, "call", name="new", priority=0)
    assert (parted.job.name, parted.parts()) == ("new", before)


def test_a_part_that_has_no_room_for_its_label_is_one_without_it(parted: SearchingYard) -> None:
    labels = {f"key{number}": "" for number in range(64)}
    edit(parted, "call", labels=labels)
    assert [part.labels for part in parted.parts()] == [labels] * 3
    assert [part.part_of for part in parted.parts()] == [parted.search.id] * 3

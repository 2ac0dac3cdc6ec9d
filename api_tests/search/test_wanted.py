"""A search by several workers measures nothing itself: it says what it wants, and goes on later."""

from typing import Any

import pytest

from api_tests.support.attempts import ended, run
from api_tests.support.digit_searches import Searched, TrainedSupernet, found, known
from service.contract.agent import ReportedEvent
from service.contract.candidates import CandidatesWanted, WantedCandidate

pytestmark = pytest.mark.xdist_group("training")


@pytest.fixture(scope="module")
def alone(supernet: TrainedSupernet) -> Searched:
    """A search by one worker."""
    return supernet.searched()


def wanted(events: list[ReportedEvent]) -> list[dict[str, Any]]:
    """What a search has others measure, by its events."""
    bodies = [event.body for event in events if event.kind == "wanted"]
    return [
        candidate.model_dump()
        for body in bodies
        for candidate in CandidatesWanted.model_validate(body).candidates
    ]


@pytest.mark.parametrize("ranks", [1, 2])
def test_the_first_population_with_an_unknown_path_is_wanted(
    supernet: TrainedSupernet, alone: Searched, ranks: int
) -> None:
    fields = set(WantedCandidate.model_fields)
    told = [each.model_dump(include=fields) for each in alone.table]
    fitness = [each for each in known(alone.events) if each.blocks != told[7]["blocks"]]
    for claimed, first, last in ((), 0, 5), (tuple(fitness[:9]), 7, 10):
        job_id = supernet.new_job()
        attempt_dir = supernet.attempt(supernet.spec(workers=2), job_id, candidates=claimed)
        events = run(attempt_dir, ranks=ranks)
        unknown = [each for each in told[first:last] if not _is_in(each, claimed)]
        assert sorted(wanted(events), key=_order) == unknown
        assert {each.blocks for each in found(events)} <= {each.blocks for each in claimed}
        end = ended(events)
        assert (end["outcome"], end["reason"]) == ("released", "released")
        count = f"{len(unknown)} candidates" if len(unknown) > 1 else "1 candidate"
        assert f"waits for the measurements of {count} by" in end["message"]


def _is_in(candidate: dict[str, Any], fitness: tuple[Any, ...]) -> bool:
    return candidate["blocks"] in {each.blocks for each in fitness}


def _order(candidate: dict[str, Any]) -> int:
    return int(candidate["order"])


def test_a_search_that_knows_all_ends_as_one_by_one_worker(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    attempt_dir = supernet.attempt(
        supernet.spec(workers=2), supernet.new_job(), candidates=known(alone.events)
    )
    events = run(attempt_dir)
    assert (found(events), wanted(events)) == (alone.table, [])
    end = ended(events)
    assert end["outcome"] == "succeeded"
    assert end["result"]["best"] == alone.result["best"]


def test_what_measures_for_a_search_publishes_nothing(
    supernet: TrainedSupernet, alone: Searched
) -> None:
    paths = [each.blocks for each in alone.table[:3]]
    searched = supernet.searched(candidates=paths, publish=False)
    assert [each.loss for each in searched.table] == [each.loss for each in alone.table[:3]]
    assert not [event for event in searched.events if event.kind == "checkpoint"]
    assert "checkpoint_id" not in searched.result
    assert searched.result["best"]["blocks"] in paths

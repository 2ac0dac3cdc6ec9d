"""A search by several workers: the jobs that measure for it, and what they are given."""

from typing import Any

import pytest

from api_tests.support.control_agent import Agent
from api_tests.support.search_fixtures import parted, yard
from api_tests.support.searches import blocks_of, found
from api_tests.support.searching_yard import POPULATION, SearchingYard, given, measured, wanted
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import JobState
from service.contract.search_params import SearchParams
from service.contract.specs import SearchSpec
from service.domain.errors import Unprocessable

__all__ = ["parted", "yard"]


def test_a_population_is_divided_among_jobs_that_differ_in_size_by_one_at_most(
    yard: SearchingYard,
) -> None:
    claim = yard.wants(*range(5))
    # Nobody may have it before its parts are there.
    assert yard.agent.claim() is None
    assert "about to give 5 candidates" in str(yard.job.wait_reason)
    assert yard.turn()
    assert not yard.turn()
    parts = yard.parts()
    sizes, blocks = [], []
    for number, part in enumerate(parts, 1):
        assert isinstance(part.spec, SearchSpec)
        params = part.spec.params
        sizes.append(len(params.candidates or ()))
        blocks += params.candidates or ()
        assert (params.workers, params.publish) == (1, False)
        assert part.labels == {"part_of": yard.search.id}
        assert part.name == f"{yard.search.id}: generation 1, part {number} of 3"
        assert (part.recipe, part.parent_job_id) == ("supernet", None)
    assert (sorted(sizes), blocks) == ([1, 2, 2], [blocks_of(order) for order in range(5)])
    assert yard.job.state is JobState.QUEUED
    reason = yard.job.wait_reason
    first = parts[0].id
    assert reason == f"it waits for 3 jobs to measure 5 candidates: {first} (queued), " + ", ".join(
        f"{part.id} (queued)" for part in parts[1:]
    )
    assert yard.control_plane.attempts_of(yard.search)[0].message == "waits for the measurements"
    assert claim.attempt == 1


def test_a_search_waits_without_a_slot_and_goes_on_with_the_last_measurement(
    parted: SearchingYard,
) -> None:
    claims = [parted.agent.claimed() for _ in range(3)]
    assert {claim.job_id for claim in claims} == {part.id for part in parted.parts()}
    assert parted.agent.claim() is None
    for claim in claims:
        assert parted.agent.claim() is None
        assert claim.weights is not None
        parted.measure(claim)
    again = parted.agent.claimed()
    assert (again.job_id, again.attempt) == (parted.search.id, 2)
    assert [each.blocks for each in again.candidates] == [blocks_of(n) for n in range(POPULATION)]


def test_a_search_waits_for_what_its_live_parts_measure(parted: SearchingYard) -> None:
    for _ in range(2):
        parted.measure(parted.agent.claimed())
    last = parted.parts()[-1]
    assert parted.job.wait_reason == (
        f"it waits for 1 job to measure 2 candidates: {last.id} (queued)"
    )


def test_each_measurement_is_the_searchs_at_once_with_its_place_there(
    parted: SearchingYard,
) -> None:
    claim = parted.agent.claimed()
    first, second = given(claim)
    parted.control_plane.later(10)
    version = parted.job.version
    parted.agent.beat(claim, found(1, first))
    assert [each.model_dump() for each in parted.table()] == [measured(0)]
    progress = parted.job.progress
    assert (progress.step, progress.total_steps, progress.phase) == (1, 12, "search")
    assert (progress.fraction, progress.eta_seconds) == (1 / 12, 110.0)
    assert parted.job.version > version
    # The first is kept, also in the search.
    parted.agent.beat(claim, found(2, first | {"top1_error": 0.9}, second))
    assert [each.model_dump() for each in parted.table()] == [measured(0), measured(1)]


def test_the_next_population_is_divided_anew(parted: SearchingYard) -> None:
    for claim in [parted.agent.claimed() for _ in range(3)]:
        parted.measure(claim)
    before = {part.id for part in parted.parts()}
    parted.wants(6, 7)
    assert parted.turn()
    parts = parted.parts()
    assert len(parts) == 2
    assert not before & {part.id for part in parts}
    for claim in [parted.agent.claimed() for _ in range(2)]:
        parted.measure(claim)
    last = parted.agent.claimed()
    assert (last.job_id, last.attempt) == (parted.search.id, 3)
    parted.agent.report(last, result={"evaluated": 8})
    assert parted.job.state is JobState.SUCCEEDED
    # Nothing is left of what it waited for.
    assert parted.turn()
    assert (parted.parts(), parted.turn()) == ([], False)


def test_parts_are_of_the_owner_and_the_place_of_their_search(
    control_plane: ControlPlane, agent: Agent
) -> None:
    fields = {"name": "n" * 200, "labels": {"project": "a"}, "priority": 7, "preemptible": True}
    yard = SearchingYard(control_plane, agent, **fields)
    yard.wants(*range(POPULATION))
    yard.turn()
    for part in yard.parts():
        assert part.labels == {"project": "a", "part_of": yard.search.id}
        assert (part.spec.priority, part.spec.preemptible) == (7, True)
        assert part.name is not None
        assert len(part.name) == 200


def test_a_search_by_one_worker_may_not_have_others_measure(
    control_plane: ControlPlane, agent: Agent
) -> None:
    yard = SearchingYard(control_plane, agent, params={"workers": 1})
    agent.beat(agent.claimed(), wanted(1, 0))
    (note,) = control_plane.events_of(yard.search, "note")
    assert "only a search by several workers" in note.message
    assert not yard.turn()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"workers": 7}, "workers 7 are more than population 6"),
        (
            {"workers": 3, "candidates": [blocks_of(0), blocks_of(1)]},
            "workers 3 are more than the 2 candidates given",
        ),
    ],
)
def test_more_workers_than_candidates_are_refused(
    control_plane: ControlPlane, agent: Agent, params: dict[str, Any], words: str
) -> None:
    with pytest.raises(Unprocessable, match=words) as refused:
        SearchingYard(control_plane, agent, params=params)
    assert refused.value.pointer == "/params/workers"


def test_one_worker_is_left_out_of_what_older_versions_are_sent() -> None:
    sent = SearchParams().model_dump(mode="json")
    assert not {"workers", "publish"} & sent.keys()
    assert SearchParams(workers=2, publish=False).model_dump()["workers"] == 2

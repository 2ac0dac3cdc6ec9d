"""The end of a part: its worker is lost, it fails, is cancelled, or has measured nothing."""

from collections.abc import Callable

import pytest

from api_tests.support.control_agent import Agent, say_gone
from api_tests.support.search_fixtures import parted, yard
from api_tests.support.searches import found, offer_searches
from api_tests.support.searching_yard import POPULATION, SearchingYard, given, measured, wanted
from service.contract.jobs import JobState
from service.control.jobs import edits

__all__ = ["parted", "yard"]


def test_a_lost_worker_costs_what_it_had_not_told(
    parted: SearchingYard, new_agent: Callable[..., Agent]
) -> None:
    other = new_agent()
    offer_searches(parted.control_plane, other)
    lost = other.claimed()
    first, _ = given(lost)
    other.beat(lost, found(1, first))
    say_gone(parted.control_plane, other)
    assert [each.order for each in parted.table()] == [0]
    claims = [parted.agent.claimed() for _ in range(3)]
    again = next(claim for claim in claims if claim.job_id == lost.job_id)
    assert [each.blocks for each in again.candidates] == [first["blocks"]]
    for claim in claims:
        parted.measure(claim)
    assert [each.model_dump() for each in parted.table()] == [measured(n) for n in range(6)]
    assert parted.agent.claimed().job_id == parted.search.id


def test_an_attempt_that_is_lost_after_it_asked_has_asked(yard: SearchingYard) -> None:
    claim = yard.agent.claimed()
    yard.agent.beat(claim, wanted(1, *range(POPULATION)))
    # Not while it may still tell more.
    assert not yard.turn()
    yard.agent.report(claim, "failed", "crashed")
    yard.control_plane.later(1000)
    assert yard.agent.claim() is None
    assert yard.turn()
    assert len(yard.parts()) == 3


def test_a_part_that_failed_ends_its_search_and_the_others(parted: SearchingYard) -> None:
    failed, running = parted.agent.claimed(), parted.agent.claimed()
    parted.agent.report(failed, "failed", "invalid_data", message="no images")
    parted.measure(parted.agent.claimed())
    assert parted.turn()
    search = parted.job
    assert (search.state, search.reason) == (JobState.FAILED, "invalid_data")
    assert search.message == (
        f"{failed.job_id}, which measured candidates for it, has failed: no images"
    )
    by_id = {part.id: part.state for part in parted.parts()}
    assert by_id[running.job_id] is JobState.CANCELLING
    parted.agent.report(running, "cancelled", "cancelled")
    assert parted.turn()
    assert parted.parts() == []
    # What was measured is what a retry begins with.
    retry = parted.control_plane.job_of(parted.control_plane.retry(parted.search))
    assert [each.blocks for each in parted.agent.claimed().candidates] == [
        each.blocks for each in parted.table()
    ]
    assert retry.state is JobState.QUEUED


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED])
def test_what_a_part_measures_for_an_ended_search_is_seen_as_a_change_of_it(
    parted: SearchingYard, end: JobState
) -> None:
    failed, running = parted.agent.claimed(), parted.agent.claimed()
    if end is JobState.FAILED:
        parted.agent.report(failed, "failed", "invalid_data")
        assert parted.turn()
    else:
        parted.control_plane.cancel(parted.search)
    ended = parted.job
    assert (ended.state, len(parted.table())) == (end, 0)
    parted.agent.beat(running, found(1, *given(running)))
    assert len(parted.table()) == 2
    assert parted.job.version > ended.version
    assert (parted.job.state, parted.job.progress) == (end, ended.progress)


def test_a_search_whose_last_part_failed_is_claimed_no_more(parted: SearchingYard) -> None:
    failed, *others = (parted.agent.claimed() for _ in range(3))
    for claim in others:
        parted.measure(claim)
    parted.agent.report(failed, "failed", "invalid_data")
    assert parted.agent.claim() is None
    assert parted.turn()
    assert parted.job.state is JobState.FAILED


def test_what_a_cancelled_part_has_not_measured_is_asked_for_again(parted: SearchingYard) -> None:
    cancelled, *others = parted.parts()
    parted.control_plane.cancel(cancelled)
    with parted.control_plane.write() as tx:
        edits.delete(tx, cancelled.id)
    for claim in [parted.agent.claimed() for _ in others]:
        parted.measure(claim)
    parted.wants(0, 1)
    assert parted.turn()
    assert len(parted.parts()) == 2


def test_a_part_that_succeeds_without_its_candidates_is_not_asked_for_ever(
    parted: SearchingYard,
) -> None:
    claims = [parted.agent.claimed() for _ in range(3)]
    for claim in claims:
        parted.agent.report(claim)
    parted.wants(0, 1)
    assert parted.turn()
    assert parted.job.state is JobState.FAILED
    assert "has succeeded, and told nothing of 2 candidates" in str(parted.job.message)

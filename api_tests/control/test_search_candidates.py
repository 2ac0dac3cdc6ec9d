"""What a search measures: rows that no end of a worker or a server loses."""

from collections.abc import Callable
from typing import Any

import pytest

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.searches import (
    a_candidate,
    a_search,
    a_supernet,
    best_path,
    found,
    offer_searches,
    submitted,
)
from api_tests.support.sent_statements import sent_statements
from api_tests.support.use_cases import ControlPlane
from service.contract.agent import Claim
from service.contract.jobs import Job, JobState
from service.contract.specs import SearchSpec
from service.control.jobs import edits, searches
from service.domain.errors import NotFound


@pytest.fixture
def supernet(control_plane: ControlPlane, agent: Agent) -> Job:
    return a_supernet(control_plane, agent)


@pytest.fixture
def search(control_plane: ControlPlane, supernet: Job) -> Job:
    return submitted(control_plane, a_search(supernet))


def orders_of(control_plane: ControlPlane, job: Job) -> list[int]:
    with control_plane.database.read() as tx:
        return [each.order for each in searches.page(tx, job.id, "order", None, 100)[0]]


def test_only_a_worker_that_searches_gets_a_search(
    control_plane: ControlPlane, search: Job, new_agent: Callable[..., Agent]
) -> None:
    other = new_agent()
    assert other.claim() is None
    offer_searches(control_plane, other)
    claim = other.claimed()
    assert (claim.job_id, claim.spec.kind) == (search.id, "search")
    assert claim.weights is not None
    assert (claim.weights.recipe, claim.candidates) == ("supernet", ())


def test_candidates_that_come_again_or_in_part_are_stored_once(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0), a_candidate(1)))
    again = a_candidate(1, top1_error=0.9)
    agent.beat(claim, found(2, again, a_candidate(2), a_candidate(2)))
    agent.beat(claim, found(2, a_candidate(3)))
    assert orders_of(control_plane, search) == [0, 1, 2]
    with control_plane.database.read() as tx:
        candidates, _ = searches.page(tx, search.id, "order", None, 100)
    assert candidates[1].top1_error == a_candidate(1)["top1_error"]


@pytest.mark.usefixtures("search")
def test_candidates_that_come_again_are_not_counted(agent: Agent) -> None:
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0)))
    with sent_statements() as again:
        agent.beat(claim, found(2, a_candidate(0)))
    with sent_statements() as more:
        agent.beat(claim, found(3, a_candidate(1)))
    assert [len(counts_of(sent)) for sent in (again, more)] == [0, 1]


def counts_of(sent: list[str]) -> list[str]:
    return [each for each in sent if "count(" in each and "FROM search_candidates" in each]


def test_the_next_attempt_gets_what_was_measured_and_no_lease_that_is_lost_adds_to_it(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0, loss=None), a_candidate(1)))
    control_plane.later(1000)
    control_plane.sweep()
    control_plane.sweep()
    agent.register()
    offer_searches(control_plane, agent)
    again = agent.claimed()
    assert (again.job_id, again.attempt) == (search.id, 2)
    fields = {"blocks", "top1_error", "top5_error", "loss"}
    sent = [a_candidate(0, loss=None), a_candidate(1)]
    assert [each.model_dump() for each in again.candidates] == [
        {name: each[name] for name in fields} for each in sent
    ]
    assert Claim.model_validate_json(again.model_dump_json()) == again
    agent.beat(claim, found(2, a_candidate(2)))
    assert orders_of(control_plane, search) == [0, 1]


def test_what_a_search_measures_begins_its_retry_budget_anew(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    for number in range(5):
        control_plane.later(1000)
        claim = agent.claimed()
        agent.beat(claim, found(1, a_candidate(number)))
        agent.report(claim, "failed", "crashed")
    assert control_plane.job(search).state is JobState.QUEUED
    for _ in range(2):
        control_plane.later(1000)
        claim = agent.claimed()
        agent.beat(claim, found(1, a_candidate(0)))
        agent.report(claim, "failed", "crashed")
    assert control_plane.job(search).state is JobState.FAILED


def test_a_retry_goes_on_with_what_the_failed_search_has_measured(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0), a_candidate(1)))
    agent.report(claim, "failed", "invalid_data")
    retry = control_plane.job_of(control_plane.retry(search))
    assert retry.spec.model_dump() == search.spec.model_dump() | {
        "checkpoint": retry.spec.model_dump()["checkpoint"]
    }
    with control_plane.write() as tx:
        edits.delete(tx, search.id)
    assert orders_of(control_plane, retry) == [0, 1]
    assert len(agent.claimed().candidates) == 2


def test_a_search_is_retried_also_when_the_one_that_it_knew_is_gone(
    control_plane: ControlPlane, agent: Agent, supernet: Job, search: Job
) -> None:
    control_plane.cancel(search)
    knowing = submitted(control_plane, a_search(supernet, params={"known": search.id}))
    claim = agent.claimed()
    # As an attempt tells of what it knew: it is this search's own from then on.
    agent.beat(claim, found(1, a_candidate(0)))
    agent.report(claim, "failed", "invalid_data")
    kept = control_plane.job_of(control_plane.retry(knowing))
    assert isinstance(kept.spec, SearchSpec)
    assert kept.spec.params.known == search.id
    with control_plane.write() as tx:
        edits.delete(tx, search.id)
    retry = control_plane.job_of(control_plane.retry(knowing))
    assert isinstance(retry.spec, SearchSpec)
    assert retry.spec.params.known is None
    assert orders_of(control_plane, retry) == [0]


def test_a_deleted_search_leaves_no_candidate(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0)))
    agent.report(claim)
    with control_plane.write() as tx:
        edits.delete(tx, search.id)
    with control_plane.database.read() as tx, pytest.raises(NotFound):
        searches.page(tx, search.id, "order", None, 100)


def test_a_paused_search_is_given_back_and_goes_on(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    claim = agent.claimed()
    agent.beat(claim, found(1, a_candidate(0)))
    control_plane.pause(search)
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    agent.report(claim, "released", "released")
    assert control_plane.job(search).state is JobState.PAUSED
    control_plane.resume(search)
    assert len(agent.claimed().candidates) == 1


def test_the_best_path_is_published_and_the_search_stays_the_supernets(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    claim = agent.claimed()
    agent.beat(claim, an_event(1, "checkpoint", **best_path(search)))
    agent.report(claim, result={"evaluated": 6})
    ended = control_plane.job(search)
    assert (ended.state, ended.recipe) == (JobState.SUCCEEDED, "supernet")
    (checkpoint,) = control_plane.checkpoints_of(search).values()
    assert ended.latest_checkpoint == checkpoint.id
    assert (checkpoint.recipe, checkpoint.phase) == ("oneshot", "final")


@pytest.mark.parametrize("was_told", [False, True])
def test_a_later_attempt_tells_of_what_an_earlier_one_has_published(
    control_plane: ControlPlane, agent: Agent, search: Job, was_told: bool
) -> None:
    body = best_path(search, attempt=1)
    told = [an_event(1, "checkpoint", **body)] if was_told else []
    agent.report(agent.claimed(), "released", "released", events=told)
    claim = agent.claimed()
    assert claim.attempt == 2
    agent.beat(claim, an_event(1, "checkpoint", **body))
    (checkpoint,) = control_plane.checkpoints_of(search).values()
    assert (checkpoint.attempt, checkpoint.path) == (1, body["path"])
    assert control_plane.job(search).latest_checkpoint == checkpoint.id
    assert len(control_plane.events_of(search, "checkpoint")) == 1


def test_a_search_tells_of_no_later_attempts_checkpoint(
    control_plane: ControlPlane, agent: Agent, search: Job
) -> None:
    agent.beat(agent.claimed(), an_event(1, "checkpoint", **best_path(search, attempt=2)))
    assert control_plane.checkpoints_of(search) == {}


@pytest.mark.parametrize(
    "network",
    [
        {"recipe": "supernet", "variant": "oneshot"},
        {"recipe": "shufflenet_v2", "variant": "1.0x"},
        {"variant": "b01"},
    ],
)
def test_no_other_network_is_published_by_a_search(
    control_plane: ControlPlane, agent: Agent, search: Job, network: dict[str, Any]
) -> None:
    claim = agent.claimed()
    agent.beat(claim, an_event(1, "checkpoint", **best_path(search, **network)))
    assert control_plane.checkpoints_of(search) == {}
    assert "of another network" in control_plane.events_of(search, "note")[0].message


def test_candidates_of_a_training_are_noted_and_not_stored(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.beat(agent.claimed(), found(1, a_candidate(0)))
    (note,) = control_plane.events_of(job, "note")
    assert "only a search has candidates" in note.message

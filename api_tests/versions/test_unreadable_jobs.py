"""A job whose specification this version cannot read costs that job alone, on both databases."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from api_tests.support.control_agent import Agent, an_event
from api_tests.support.rows_of_versions import delete, listed, rewrite
from api_tests.support.use_cases import ControlPlane
from service.contract.changes import JobEdit
from service.contract.jobs import Job, JobState, Reason
from service.control.jobs import edits
from service.domain.errors import Conflict
from service.store.tables import jobs

UNREADABLE: list[Any] = [
    {"kind": "search", "space": {"lr": [0.1, 1.0]}},
    {"kind": "train", "recipe": {"name": "oneshot"}},
    {},
    ["train"],
    "train",
    7,
]


def stored_spec(control_plane: ControlPlane, job: Job) -> Any:
    """As the row has it."""
    with control_plane.database.read() as tx:
        return tx.execute(sa.select(jobs.c.spec).where(jobs.c.id == job.id)).scalar_one()


def edit(control_plane: ControlPlane, job: Job, **changes: Any) -> None:
    """As a user does."""
    with control_plane.write() as tx:
        edits.edit(tx, job.id, JobEdit(**changes), versions=None, now=control_plane.now)


@pytest.mark.parametrize("spec", UNREADABLE, ids=repr)
def test_a_job_that_cannot_be_read_is_listed_as_it_is_stored(
    control_plane: ControlPlane, spec: Any
) -> None:
    before, broken, after = control_plane.submit(), control_plane.submit(), control_plane.submit()
    rewrite(control_plane, broken, spec=spec, kind="search")
    shown = listed(control_plane)
    assert list(shown) == [after.id, broken.id, before.id]
    assert shown[broken.id]["spec"] == spec
    assert "this version cannot read its spec" in shown[broken.id]["unreadable"]
    assert shown[before.id]["unreadable"] is None
    assert control_plane.job(broken).kind == "search"


@pytest.mark.parametrize("spec", UNREADABLE, ids=repr)
def test_its_turn_ends_it_as_unreadable_and_the_next_job_is_claimed(
    control_plane: ControlPlane, agent: Agent, spec: Any
) -> None:
    broken, job = control_plane.submit(), control_plane.submit()
    rewrite(control_plane, broken, spec=spec)
    assert agent.claimed().job_id == job.id
    ended = control_plane.job(broken)
    assert (ended.state, ended.reason) == (JobState.FAILED, Reason.UNREADABLE_SPEC)
    assert ended.message is not None
    assert "cannot read its spec" in ended.message
    assert ended.attempt == 0
    assert control_plane.events_of(broken, "failed")


def test_a_queue_of_nothing_but_unreadable_jobs_is_worked_off(
    control_plane: ControlPlane, agent: Agent
) -> None:
    broken = [control_plane.submit() for _ in range(3)]
    for job in broken:
        rewrite(control_plane, job, spec={"kind": "search"})
    assert agent.claim() is None
    assert {control_plane.job(job).reason for job in broken} == {Reason.UNREADABLE_SPEC}


def test_an_unreadable_job_can_be_renamed_cancelled_and_deleted(
    control_plane: ControlPlane,
) -> None:
    job = control_plane.submit()
    rewrite(control_plane, job, spec={"kind": "search"})
    edit(control_plane, job, name="old", priority=3)
    shown = control_plane.job(job)
    assert (shown.name, shown.spec.priority, shown.queue_position) == ("old", 3, 1)
    assert stored_spec(control_plane, job) == {"kind": "search"}
    assert control_plane.cancel(job).state is JobState.CANCELLED
    delete(control_plane, job)
    assert listed(control_plane) == {}


def test_an_unreadable_job_cannot_be_retried_and_says_why(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    rewrite(control_plane, job, spec={"kind": "search"})
    assert agent.claim() is None
    with pytest.raises(Conflict, match="cannot read its spec"):
        control_plane.retry(job)


def test_an_attempt_of_a_job_that_cannot_be_read_any_more_still_ends(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    rewrite(control_plane, job, spec={"kind": "search"})
    agent.beat(claim, an_event(1, "progress", phase="train", step=1, total_steps=2))
    agent.report(claim)
    assert control_plane.job(job).state is JobState.SUCCEEDED


def test_a_claim_that_is_asked_for_again_gives_nothing_once_its_job_cannot_be_read(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    assert agent.claim("request") is not None
    rewrite(control_plane, job, spec={"kind": "search"})
    assert agent.claim("request") is None
    control_plane.later(31)
    control_plane.sweep()
    assert agent.claim() is None
    assert control_plane.job(job).reason is Reason.UNREADABLE_SPEC


def test_a_field_of_a_newer_spec_survives_a_change_of_labels_and_a_retry(
    control_plane: ControlPlane,
) -> None:
    job = control_plane.submit()
    newer = stored_spec(control_plane, job) | {"budget": {"hours": 3}}
    newer["data"] |= {"cache": "ram"}
    rewrite(control_plane, job, spec=newer)
    edit(control_plane, job, labels={"team": "a"})
    assert stored_spec(control_plane, job) == newer | {"labels": {"team": "a"}}
    control_plane.cancel(job)
    again = control_plane.job_of(control_plane.retry(job, "start"))
    assert stored_spec(control_plane, again)["budget"] == {"hours": 3}
    assert control_plane.job(job).unreadable is None


def test_a_worker_is_sent_nothing_that_its_version_may_not_know(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    rewrite(control_plane, job, spec=stored_spec(control_plane, job) | {"budget": 3})
    claim = agent.claimed()
    assert "budget" not in json.loads(claim.model_dump_json())["spec"]

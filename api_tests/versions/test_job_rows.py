"""A job's row that another version wrote costs that job alone, on both databases."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from api_tests.support.use_cases import Agent, ControlPlane, an_event
from service.contract.changes import JobEdit
from service.contract.jobs import AttemptState, Job, JobState, Reason
from service.control.jobs import edits, views
from service.domain.errors import Conflict
from service.store.engine import Database
from service.store.jobs import JobFilter
from service.store.tables import attempts, jobs

UNREADABLE: list[Any] = [
    {"kind": "search", "space": {"lr": [0.1, 1.0]}},
    {"kind": "train", "recipe": {"name": "oneshot"}},
    {},
    ["train"],
    "train",
    7,
]


def rewrite(control_plane: ControlPlane, job: Job, **columns: Any) -> None:
    """As another version has written the job's row."""
    with control_plane.write() as tx:
        tx.execute(sa.update(jobs).where(jobs.c.id == job.id).values(**columns))


def stored_spec(control_plane: ControlPlane, job: Job) -> Any:
    """As the row has it."""
    with control_plane.database.read() as tx:
        return tx.execute(sa.select(jobs.c.spec).where(jobs.c.id == job.id)).scalar_one()


def listed(control_plane: ControlPlane) -> dict[str, dict[str, Any]]:
    """What `GET /jobs` shows, by id."""
    with control_plane.database.read() as tx:
        page, _ = views.page(tx, JobFilter(limit=100))
    return {view.job.id: view.job.model_dump(mode="json") for view in page}


def delete(control_plane: ControlPlane, job: Job) -> None:
    """As a user does."""
    with control_plane.write() as tx:
        edits.delete(tx, job.id)


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


@pytest.mark.parametrize("progress", [3, {"percent": 4}, {"total_steps": "many"}], ids=repr)
def test_a_progress_that_cannot_be_read_stops_no_list(
    control_plane: ControlPlane, progress: Any
) -> None:
    job = control_plane.submit()
    rewrite(control_plane, job, progress=progress)
    assert listed(control_plane)[job.id]["progress"]["step"] == 0


@pytest.mark.parametrize(
    ("column", "field", "shown"),
    [
        ("created_at", "created_at", "1970-01-01T00:00:00Z"),
        ("finished_at", "finished_at", None),
        ("not_before", "queue_position", 1),
        ("attempt", "attempt", 0),
        ("version", "version", 0),
        ("worker_losses", "queue_position", 1),
        ("labels", "labels", {}),
    ],
)
def test_a_column_that_a_fault_has_left_unreadable_stops_no_list(
    sqlite: Database, column: str, field: str, shown: Any
) -> None:
    # PostgreSQL stores nothing else than the type of a column.
    control_plane = ControlPlane(sqlite)
    job, other = control_plane.submit(), control_plane.submit()
    with control_plane.write() as tx:
        tx.exec_driver_sql(f"UPDATE jobs SET {column} = 'torn {column}' WHERE id = ?", (job.id,))
    both = listed(control_plane)
    assert both.keys() == {job.id, other.id}
    assert both[job.id][field] == shown


def test_a_moment_that_is_none_in_utc_stops_no_list(sqlite: Database) -> None:
    control_plane = ControlPlane(sqlite)
    job = control_plane.submit()
    with control_plane.write() as tx:
        tx.exec_driver_sql("UPDATE jobs SET started_at = '0001-01-01 00:00:00+14:00'")
    assert listed(control_plane)[job.id]["started_at"] is None


def test_a_job_in_an_unknown_state_is_shown_cancelled_and_deleted(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job, other = control_plane.submit(), control_plane.submit()
    rewrite(control_plane, job, state="hibernating", reason="cold")
    shown = listed(control_plane)[job.id]
    assert (shown["state"], shown["reason"]) == ("hibernating", "cold")
    assert agent.claimed().job_id == other.id
    control_plane.sweep()
    with pytest.raises(Conflict, match="hibernating"):
        control_plane.pause(job)
    with pytest.raises(Conflict, match="cancel it first"):
        delete(control_plane, job)
    assert control_plane.cancel(job).state is JobState.CANCELLED
    delete(control_plane, job)
    assert job.id not in listed(control_plane)


def test_an_attempt_of_a_job_in_an_unknown_state_goes_on_to_its_end(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    rewrite(control_plane, job, state="migrating")
    assert agent.beat(claim).directive == "continue"
    agent.report(claim)
    assert control_plane.job(job).state is JobState.SUCCEEDED


def test_an_attempt_of_a_job_in_an_unknown_state_obeys_a_cancel(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    claim = agent.claimed()
    rewrite(control_plane, job, state="migrating")
    assert control_plane.cancel(job).state is JobState.CANCELLING
    assert agent.beat(claim).directive == "checkpoint_and_stop"
    agent.report(claim, "released", "released")
    assert control_plane.job(job).state is JobState.CANCELLED


def test_an_attempt_in_an_unknown_state_is_shown_and_its_job_can_be_cancelled(
    control_plane: ControlPlane, agent: Agent
) -> None:
    job = control_plane.submit()
    agent.claimed()
    with control_plane.write() as tx:
        tx.execute(sa.update(attempts).values(state="migrating", reason="rebalanced"))
    (attempt,) = control_plane.attempts_of(job)
    assert (attempt.state, attempt.reason) == ("migrating", "rebalanced")
    assert attempt.state not in list(AttemptState)
    control_plane.later(10_000)
    control_plane.sweep()
    assert control_plane.cancel(job).state is JobState.CANCELLED


@pytest.mark.parametrize(
    "columns",
    [
        {"needs": "[]"},
        {"needs": "{"},
        {"needs": '{"@recipe": {"name": "oneshot"}}'},
        {"labels": ["vision"]},
        {"labels": {"team": 3}},
        {"labels": None},
        {"metrics": []},
        {"metrics": {"loss": {"mean": 1.0}}},
        {"result": 7},
    ],
    ids=repr,
)
def test_a_column_of_another_shape_stops_no_list_and_no_claim(
    control_plane: ControlPlane, new_agent: Callable[..., Agent], columns: dict[str, Any]
) -> None:
    odd, job = control_plane.submit(), control_plane.submit()
    rewrite(control_plane, odd, **columns)
    assert list(listed(control_plane)) == [job.id, odd.id]
    claimed = {new_agent().claimed().job_id for _ in range(2)}
    assert claimed == {odd.id, job.id}
    control_plane.sweep()
    assert control_plane.cancel(odd).state is JobState.CANCELLING


@pytest.mark.parametrize("column", ["spec", "labels", "metrics", "progress", "result"])
def test_text_that_is_no_json_in_a_row_of_sqlite_costs_that_job_alone(
    control_plane: ControlPlane, agent: Agent, column: str
) -> None:
    if not control_plane.database.is_sqlite:
        pytest.skip("PostgreSQL stores no such text")
    odd, job = control_plane.submit(), control_plane.submit()
    with control_plane.write() as tx:
        change = sa.text(f"UPDATE jobs SET {column} = '{{\"torn' WHERE id = :id")
        tx.execute(change, {"id": odd.id})
    assert list(listed(control_plane)) == [job.id, odd.id]
    control_plane.cancel(odd)
    assert agent.claimed().job_id == job.id
    delete(control_plane, odd)
    assert list(listed(control_plane)) == [job.id]

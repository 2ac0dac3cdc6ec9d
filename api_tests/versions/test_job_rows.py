"""A job's row that another version wrote costs that job alone, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from api_tests.support.control_agent import Agent
from api_tests.support.rows_of_versions import delete, listed, rewrite
from api_tests.support.use_cases import ControlPlane
from service.contract.jobs import AttemptState, JobState
from service.domain.errors import Conflict
from service.store.engine import Database
from service.store.tables import attempts


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

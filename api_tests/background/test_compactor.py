"""Points that no heartbeat moves into arrays any more are moved by the server's own loop."""

from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection, func, select, text

from api_tests.support.server import wait_for
from api_tests.support.server_context import Clock, server_context
from service.background.compactor import compactor_loop
from service.context import AppContext
from service.contract.jobs import JobState
from service.contract.submissions import Submission
from service.control.jobs import submission
from service.store import jobs, series
from service.store.engine import Database
from service.store.tables import jobs as jobs_table
from service.store.tables import metrics

_SPEC = Submission.model_validate({"kind": "check_data", "data": {"dataset": "digits"}}).root


def test_points_in_rows_that_no_heartbeat_moves_are_moved(
    context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "_MOST_ROWS", 5)
    database = context.database
    with database.write() as tx:
        for job_id, steps in (("job_1", 6), ("job_2", 5), ("job_3", 9)):
            series.add(tx, job_id, [("loss", step, 0.5) for step in range(steps)])

    loop = compactor_loop(context)
    loop.start()
    wait_for(lambda: _rows(database) == {"job_2": 5}, "the points of two jobs to be moved")
    loop.stop()
    loop.join(10)
    with database.read() as tx:
        charts = [series.read(tx, f"job_{n}", None, 0, 100)["loss"] for n in (1, 2, 3)]
    assert [len(chart) for chart in charts] == [6, 5, 9]


def test_the_points_of_a_job_that_has_ended_are_moved_and_those_of_others_stay(
    context: AppContext,
) -> None:
    database = context.database
    with database.write() as tx:
        for state in JobState:
            submission.submit(tx, _SPEC, job_id=f"job_{state}", key=None, now=context.now())
            jobs.change(tx, f"job_{state}", [JobState.QUEUED], {"state": state})
            series.add(tx, f"job_{state}", [("loss", 10, 0.5), ("loss", 20, 0.25)])
    live = set(JobState) - {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}

    loop = compactor_loop(context)
    loop.start()
    wait_for(lambda: len(_rows(database)) <= len(live), "the points of ended jobs to be moved")
    loop.stop()
    loop.join(10)
    assert _rows(database) == {f"job_{state}": 2 for state in live}
    with database.read() as tx:
        for state in JobState:
            chart = series.read(tx, f"job_{state}", None, 0, 100)
            assert chart == {"loss": [(10, 0.5), (20, 0.25)]}


def test_a_job_whose_points_cannot_be_moved_keeps_no_other_from_its_turn(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "_MOST_ROWS", 1)
    with sqlite.write() as tx:
        for job_id in ("job_1", "job_2"):
            series.add(tx, job_id, [("loss", step, 0.5) for step in range(2)])
        # SQLite checks no column.
        tx.execute(text("UPDATE metrics SET value = 'no number' WHERE job_id = 'job_1'"))
    loop = compactor_loop(server_context(sqlite, tmp_path, Clock()))
    with structlog.testing.capture_logs() as logs:
        loop.start()
        wait_for(lambda: loop.turns > 0, "the turn of the first job")
        loop.hasten()
        wait_for(lambda: _rows(sqlite) == {"job_1": 2}, "the points of the other to be moved")
        loop.stop()
        loop.join(10)
    assert [log["event"] for log in logs] == ["loop_turn_failed", "series_compacted"]


def test_points_are_moved_under_the_lock_that_heartbeats_take(
    context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, compact = context.database, series.compact
    if database.is_sqlite:
        pytest.skip("on SQLite there is one transaction that writes")
    monkeypatch.setattr(series, "_MOST_ROWS", 1)
    with database.write() as tx:
        submission.submit(tx, _SPEC, job_id="job_1", key=None, now=context.now())
        series.add(tx, "job_1", [("loss", step, 0.5) for step in range(2)])
    unlocked: list[Any] = []

    def observed_compact(tx: Connection, job_id: str) -> list[str]:
        query = select(jobs_table.c.id).with_for_update(skip_locked=True)
        with database.write() as other:
            unlocked.append(other.execute(query).all())
        return compact(tx, job_id)

    monkeypatch.setattr(series, "compact", observed_compact)
    loop = compactor_loop(context)
    loop.start()
    wait_for(lambda: _rows(database) == {}, "the points to be moved")
    loop.stop()
    loop.join(10)
    assert unlocked == [[]]


def _rows(database: Database) -> dict[str, int]:
    query = select(metrics.c.job_id, func.count()).group_by(metrics.c.job_id)
    with database.read() as tx:
        return {job_id: count for job_id, count in tx.execute(query)}

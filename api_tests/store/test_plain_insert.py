"""Rows that are inserted as plain text are as SQLAlchemy would have stored them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from api_tests.support.specs import complete_spec
from service.contract.jobs import Job, JobState, Progress, Reason
from service.store import idempotency, jobs
from service.store.engine import Database
from service.store.idempotency import StoredKey
from service.store.job_needs import column_of_needs
from service.store.tables import jobs as table

SPEC = {
    "kind": "train",
    "recipe": "oneshot",
    "data": {"dataset": "digits"},
    "name": "ü",
    "labels": {"team": 'a"b'},
    "params": {"learning_rate": 1e-7},
}
EAST = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2026, 1, 1, tzinfo=UTC), id="no fraction of a second"),
        pytest.param(datetime(2026, 1, 1, 0, 0, 0, 5, UTC), id="a microsecond"),
        pytest.param(datetime(2026, 1, 1, 1, tzinfo=EAST), id="another zone"),
    ],
)
def test_each_column_of_a_job_has_what_sqlalchemy_stores(
    database: Database, moment: datetime
) -> None:
    spec = complete_spec(SPEC)
    columns: dict[str, Any] = {
        "kind": spec.kind,
        "recipe": "oneshot",
        "variant": "searched",
        "name": spec.name,
        "labels": spec.labels,
        "state": JobState.FAILED,
        "reason": Reason.CRASHED,
        "message": "%s ? :x",
        "created_at": moment,
        "started_at": moment,
        "finished_at": None,
        "attempt": 2,
        "metrics": {"loss": 1e-7, "steps": 3},
        "latest_checkpoint": None,
        "best_checkpoint": None,
        "result": None,
        "parent_job_id": "job_0",
        "version": 3,
    }
    job = Job(id="job_1", **columns, spec=spec, progress=Progress(total_steps=5, fraction=0.1))
    own = {
        "spec": spec.model_dump(mode="json"),
        "progress": job.progress.model_dump(mode="json"),
        "queue_order": 0,
        "gpus": 0,
        "needs": column_of_needs(jobs.needs_of(job, None)),
        "failures": 0,
        "worker_losses": 0,
    }
    with database.write() as tx:
        jobs.add(tx, job, None)
        tx.execute(insert(table), [{"id": "job_2", **columns, **own}])
        texts = [column for column in table.c if column.name != "id"]
        plain, theirs = tx.execute(select(*texts).order_by(table.c.id)).all()
        assert plain == theirs
        moments = "CAST(created_at AS text), CAST(started_at AS text), finished_at, not_before"
        query = f"SELECT {moments}, state, reason, needs FROM jobs ORDER BY id"
        plain, theirs = tx.exec_driver_sql(query).all()
        assert plain == theirs


def test_a_row_that_is_there_is_refused_and_none_is_no_statement(database: Database) -> None:
    key = StoredKey("k", "digest", "job_1", datetime(2026, 1, 1, tzinfo=UTC))
    with database.write() as tx:
        idempotency.add_all(tx, [])
        idempotency.add_all(tx, [key])
        assert idempotency.find(tx, "k") == key
    with pytest.raises(IntegrityError), database.write() as tx:
        idempotency.add_all(tx, [key])

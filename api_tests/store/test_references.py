"""Rows refer to rows that are there: after a write, after a migration, after an upgrade."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api_tests.support.manifests import a_checkpoint, a_manifest
from api_tests.support.rows import ensure_job, ensure_worker
from service.contract.jobs import Attempt, AttemptState
from service.store import attempts, checkpoints, jobs
from service.store.checkpoint_tables import checkpoint_tags
from service.store.engine import Database, ForeignKeysBroken
from service.store.migrate import downgrade, upgrade
from service.store.tables import jobs as jobs_table

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _attempt_of_no_job(tx: Connection) -> None:
    ensure_worker(tx, "wrk_1")
    _add_attempt(tx, "job_none", "wrk_1")


def _attempt_of_no_worker(tx: Connection) -> None:
    ensure_job(tx, "job_1")
    _add_attempt(tx, "job_1", "wrk_none")


def _tag_of_no_checkpoint(tx: Connection) -> None:
    tx.execute(sa.insert(checkpoint_tags).values(tag="release", checkpoint_id="ckpt_none"))


def _pointer_to_no_checkpoint(column: str) -> Callable[[Connection], None]:
    return lambda tx: ensure_job(tx, "job_1", **{column: "ckpt_none"})


def _deletion_of_a_job_with_attempts(tx: Connection) -> None:
    ensure_job(tx, "job_1")
    ensure_worker(tx, "wrk_1")
    _add_attempt(tx, "job_1", "wrk_1")
    jobs.delete_job(tx, "job_1")


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(_attempt_of_no_job, id="attempt of no job"),
        pytest.param(_attempt_of_no_worker, id="attempt of no worker"),
        pytest.param(_tag_of_no_checkpoint, id="tag of no checkpoint"),
        pytest.param(_pointer_to_no_checkpoint("source_checkpoint"), id="source"),
        pytest.param(_pointer_to_no_checkpoint("latest_checkpoint"), id="latest"),
        pytest.param(_pointer_to_no_checkpoint("best_checkpoint"), id="best"),
        pytest.param(_deletion_of_a_job_with_attempts, id="deletion of a job with attempts"),
    ],
)
def test_a_reference_to_a_row_that_is_not_there_is_refused(
    database: Database, write: Callable[[Connection], None]
) -> None:
    with pytest.raises(IntegrityError), database.write() as tx:
        write(tx)


def test_a_checkpoint_may_outlive_its_job(database: Database) -> None:
    with database.write() as tx:
        ensure_job(tx, "job_1")
        manifest = a_manifest("job_1", 1)
        checkpoints.add(tx, a_checkpoint(manifest), manifest)
        jobs.delete_job(tx, "job_1")
        assert checkpoints.get(tx, manifest.checkpoint_id) is not None


def test_a_migration_that_makes_a_table_anew_keeps_the_rows_that_refer_to_it(
    database: Database,
) -> None:
    with database.write() as tx:
        ensure_job(tx, "job_1")
        ensure_worker(tx, "wrk_1")
        _add_attempt(tx, "job_1", "wrk_1")
    with database.migrate() as tx:
        operations = Operations(MigrationContext.configure(tx))
        with operations.batch_alter_table("jobs", recreate="auto") as batch:
            batch.alter_column("name", existing_type=sa.String(200), type_=sa.String(300))
    with database.read() as tx:
        assert [attempt.job_id for attempt in attempts.of_job(tx, "job_1")] == ["job_1"]
    with pytest.raises(IntegrityError), database.write() as tx:
        _attempt_of_no_job(tx)


def test_a_migration_that_breaks_a_reference_is_undone_and_says_where(sqlite: Database) -> None:
    with pytest.raises(ForeignKeysBroken, match=r"1 row refers .* attempts -> jobs"):
        _migrate_badly(sqlite)
    with sqlite.read() as tx:
        assert attempts.of_job(tx, "job_none") == []


@pytest.mark.parametrize("empty_url", ["sqlite", "postgresql"], indirect=True)
def test_an_upgrade_keeps_or_removes_what_refers_to_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    with database.migrate() as tx:
        upgrade(tx, "0003")
    with database.write() as tx:
        _insert_job_of_0003(tx, "job_1", latest_checkpoint="ckpt_none")
        _insert_attempt_of_0003(tx, "job_1", "wrk_none")
        _insert_attempt_of_0003(tx, "job_none", "wrk_none")
        _tag_of_no_checkpoint(tx)
    with database.migrate() as tx:
        upgrade(tx)
    with database.read() as tx:
        (job,) = tx.execute(sa.select(jobs_table)).all()
        assert (job.latest_checkpoint, job.worker_losses, job.queue_order) == (None, 2, -5)
        assert tx.execute(sa.select(checkpoint_tags)).all() == []
        assert [attempt.number for attempt in attempts.of_job(tx, "job_1")] == [1]
        assert attempts.of_job(tx, "job_none") == []
        worker = tx.execute(sa.text("SELECT state FROM workers WHERE id = 'wrk_none'")).scalar()
        assert worker == "gone"
    database.close()


def test_migrations_are_reverted_with_rows_in_the_tables(database: Database) -> None:
    with database.write() as tx:
        ensure_job(tx, "job_1", worker_losses=2, queue_order=-5)
        ensure_worker(tx, "wrk_1")
        _add_attempt(tx, "job_1", "wrk_1")
    with database.migrate() as tx:
        downgrade(tx, "0003")
    with database.read() as tx:
        job = tx.execute(sa.text("SELECT losses, rank FROM jobs")).one()
        heard_at = tx.execute(sa.text("SELECT heard_at FROM attempts")).scalar()
    assert tuple(job) == (2, -5)
    assert heard_at is not None


def _migrate_badly(database: Database) -> None:
    with database.migrate() as tx:
        _attempt_of_no_job(tx)


def _add_attempt(tx: Connection, job_id: str, worker_id: str) -> None:
    state = AttemptState.RUNNING
    attempt = Attempt(job_id=job_id, number=1, worker_id=worker_id, state=state, created_at=NOW)
    attempts.add(tx, attempt, token="t", request_id=f"{job_id} 1")


def _insert_job_of_0003(tx: Connection, job_id: str, **columns: Any) -> None:
    row = columns | {"id": job_id, "now": NOW}
    tx.execute(
        sa.text(
            "INSERT INTO jobs (id, kind, labels, state, created_at, rank, needs, gpus, spec,"
            " progress, metrics, attempt, failures, losses, version, latest_checkpoint)"
            " VALUES (:id, 'train', '{}', 'running', :now, -5, '{}', 0, '{}', '{}', '{}', 1, 0, 2,"
            " 1, :latest_checkpoint)"
        ),
        row,
    )


def _insert_attempt_of_0003(tx: Connection, job_id: str, worker_id: str) -> None:
    tx.execute(
        sa.text(
            "INSERT INTO attempts (job_id, number, worker_id, request_id, token, state,"
            " created_at, heard_at, acked_seq, spared) VALUES (:job, 1, :worker, :job, 't',"
            " 'running', :now, :now, 0, :spared)"
        ),
        {"job": job_id, "worker": worker_id, "now": NOW, "spared": False},
    )

"""Columns are called what they hold, and rows refer to rows by foreign keys."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

QUEUED = sa.text("state = 'queued'")
POINTERS = ("source_checkpoint", "latest_checkpoint", "best_checkpoint")


def upgrade() -> None:
    _mend_references()
    op.drop_index("ix_jobs_lanes", table_name="jobs")
    op.drop_index("ix_jobs_queue", table_name="jobs")
    # SQLite makes the table anew: jobs first, while nothing refers to it.
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("losses", new_column_name="worker_losses")
        jobs.alter_column("rank", new_column_name="queue_order")
        for pointer in POINTERS:
            jobs.create_foreign_key(op.f(f"fk_jobs_{pointer}"), "checkpoints", [pointer], ["id"])
    with op.batch_alter_table("attempts") as attempts:
        attempts.alter_column("heard_at", new_column_name="renewed_at")
        attempts.create_foreign_key(op.f("fk_attempts_job_id"), "jobs", ["job_id"], ["id"])
        attempts.create_foreign_key(op.f("fk_attempts_worker_id"), "workers", ["worker_id"], ["id"])
    with op.batch_alter_table("checkpoint_tags") as tags:
        name = op.f("fk_checkpoint_tags_checkpoint_id")
        tags.create_foreign_key(name, "checkpoints", ["checkpoint_id"], ["id"])
    _queue_index("ix_jobs_queue", ["queue_order", "id"])
    _queue_index("ix_jobs_resource_class", ["needs", "gpus", "queue_order", "id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_resource_class", table_name="jobs")
    op.drop_index("ix_jobs_queue", table_name="jobs")
    with op.batch_alter_table("checkpoint_tags") as tags:
        tags.drop_constraint(op.f("fk_checkpoint_tags_checkpoint_id"), type_="foreignkey")
    with op.batch_alter_table("attempts") as attempts:
        attempts.drop_constraint(op.f("fk_attempts_worker_id"), type_="foreignkey")
        attempts.drop_constraint(op.f("fk_attempts_job_id"), type_="foreignkey")
        attempts.alter_column("renewed_at", new_column_name="heard_at")
    with op.batch_alter_table("jobs") as jobs:
        for pointer in POINTERS:
            jobs.drop_constraint(op.f(f"fk_jobs_{pointer}"), type_="foreignkey")
        jobs.alter_column("queue_order", new_column_name="rank")
        jobs.alter_column("worker_losses", new_column_name="losses")
    _queue_index("ix_jobs_queue", ["rank", "id"])
    _queue_index("ix_jobs_lanes", ["needs", "gpus", "rank", "id"])


def _mend_references() -> None:
    # What no job can be shown with, nobody reads.
    op.execute("DELETE FROM attempts WHERE job_id NOT IN (SELECT id FROM jobs)")
    op.execute(
        "DELETE FROM checkpoint_tags WHERE checkpoint_id NOT IN (SELECT id FROM checkpoints)"
    )
    # A pointer to nothing says as much as none.
    for pointer in POINTERS:
        op.execute(
            f"UPDATE jobs SET {pointer} = NULL WHERE {pointer} IS NOT NULL"
            f" AND {pointer} NOT IN (SELECT id FROM checkpoints)"
        )
    # An attempt is kept, since its job may be running: its worker comes back as one that ended.
    op.execute(
        "INSERT INTO workers (id, host, process, gpus, labels, slots, version, state, message,"
        " registered_at, last_seen_at, trusted_at)"
        " SELECT worker_id, 'unknown', '{}', '[]', '{}', 0, '', 'gone',"
        " 'its row was lost before an upgrade', MIN(created_at), MAX(heard_at), MIN(created_at)"
        " FROM attempts WHERE worker_id NOT IN (SELECT id FROM workers) GROUP BY worker_id"
    )


def _queue_index(name: str, columns: list[str]) -> None:
    op.create_index(
        name, "jobs", columns, unique=False, sqlite_where=QUEUED, postgresql_where=QUEUED
    )

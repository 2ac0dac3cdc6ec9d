"""Columns are called what they hold: lost workers, the order of the queue, renewed leases."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    op.drop_index("ix_jobs_lanes", table_name="jobs")
    op.drop_index("ix_jobs_queue", table_name="jobs")
    op.alter_column("jobs", "losses", new_column_name="worker_losses")
    op.alter_column("jobs", "rank", new_column_name="queue_order")
    op.alter_column("attempts", "heard_at", new_column_name="renewed_at")
    _queue_index("ix_jobs_queue", ["queue_order", "id"])
    _queue_index("ix_jobs_resource_class", ["needs", "gpus", "queue_order", "id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_resource_class", table_name="jobs")
    op.drop_index("ix_jobs_queue", table_name="jobs")
    op.alter_column("attempts", "renewed_at", new_column_name="heard_at")
    op.alter_column("jobs", "queue_order", new_column_name="rank")
    op.alter_column("jobs", "worker_losses", new_column_name="losses")
    _queue_index("ix_jobs_queue", ["rank", "id"])
    _queue_index("ix_jobs_lanes", ["needs", "gpus", "rank", "id"])


def _queue_index(name: str, columns: list[str]) -> None:
    op.create_index(
        name, "jobs", columns, unique=False, sqlite_where=QUEUED, postgresql_where=QUEUED
    )

"""Scheduling: lanes of the queue, limits by label, quarantine, spared leases."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

UTC = sa.DateTime(timezone=True)
QUEUED = sa.text("state = 'queued'")
JOBS = sa.table(
    "jobs", sa.column("id", sa.String), sa.column("spec", sa.JSON), sa.column("needs", sa.Text)
)


def upgrade() -> None:
    op.create_table(
        "limits",
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=255), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("label", "value", name=op.f("pk_limits")),
    )
    op.add_column("workers", sa.Column("trusted_at", UTC, nullable=True))
    op.execute("UPDATE workers SET trusted_at = registered_at")
    op.add_column("attempts", sa.Column("spared", sa.Boolean(), nullable=True))
    op.execute(sa.text("UPDATE attempts SET spared = :no").bindparams(no=False))
    op.add_column("jobs", sa.Column("rank", sa.Integer(), nullable=True))
    op.add_column("jobs", sa.Column("needs", sa.Text(), nullable=True))
    op.execute("UPDATE jobs SET rank = -priority, needs = '{}'")
    _fill_needs()
    op.drop_index("ix_jobs_queue", table_name="jobs")
    _not_null("workers", "trusted_at", UTC)
    _not_null("attempts", "spared", sa.Boolean())
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("rank", existing_type=sa.Integer(), nullable=False)
        jobs.alter_column("needs", existing_type=sa.Text(), nullable=False)
        jobs.drop_column("priority")
    _queue_index("ix_jobs_queue", ["rank", "id"])
    _queue_index("ix_jobs_lanes", ["needs", "gpus", "rank", "id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_lanes", table_name="jobs")
    op.drop_index("ix_jobs_queue", table_name="jobs")
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=True))
    op.execute("UPDATE jobs SET priority = -rank")
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("priority", existing_type=sa.Integer(), nullable=False)
        jobs.drop_column("needs")
        jobs.drop_column("rank")
    _queue_index("ix_jobs_queue", ["priority", "id"])
    op.drop_column("attempts", "spared")
    op.drop_column("workers", "trusted_at")
    op.drop_table("limits")


def _fill_needs() -> None:
    connection = op.get_bind()
    for job_id, spec in connection.execute(sa.select(JOBS.c.id, JOBS.c.spec)).all():
        labels: dict[str, Any] = (spec.get("resources") or {}).get("labels") or {}
        if labels:
            needs = json.dumps(labels, sort_keys=True)
            connection.execute(sa.update(JOBS).where(JOBS.c.id == job_id).values(needs=needs))


def _not_null(table: str, column: str, kind: "sa.types.TypeEngine[Any]") -> None:
    with op.batch_alter_table(table) as altered:
        altered.alter_column(column, existing_type=kind, nullable=False)


def _queue_index(name: str, columns: list[str]) -> None:
    op.create_index(
        name, "jobs", columns, unique=False, sqlite_where=QUEUED, postgresql_where=QUEUED
    )

"""Which jobs may be preempted, and which were, for which job and on which workers."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_PREEMPTIBLE = sa.text("state = 'running' AND preemptible")


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("preemptible", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("jobs", sa.Column("asked_workers", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("attempts", sa.Column("preempted_for", sa.String(64), nullable=True))
    op.create_index(
        "ix_jobs_preemptible",
        "jobs",
        ["queue_order"],
        sqlite_where=_PREEMPTIBLE,
        postgresql_where=_PREEMPTIBLE,
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_preemptible", "jobs")
    op.drop_column("attempts", "preempted_for")
    op.drop_column("jobs", "asked_workers")
    op.drop_column("jobs", "preemptible")

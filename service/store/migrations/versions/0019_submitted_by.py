"""Who submitted a job, and who caused an event."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("submitted_by", sa.String(64), nullable=True))
    op.create_index(
        "ix_jobs_submitted_by_id_state", "jobs", ["submitted_by", "id", "state"], unique=False
    )
    op.add_column("events", sa.Column("actor", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("events", "actor")
    op.drop_index("ix_jobs_submitted_by_id_state", table_name="jobs")
    op.drop_column("jobs", "submitted_by")

"""The span by which a job was submitted, for its trace."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "job_traces",
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("traceparent", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_job_traces"),
    )


def downgrade() -> None:
    op.drop_table("job_traces")

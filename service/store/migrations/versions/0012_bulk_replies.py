"""The reply to a call on many jobs, beside its idempotency key; an index of jobs by kind."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("idempotency_keys", sa.Column("reply", sa.Text(), nullable=True))
    op.create_index("ix_jobs_kind_id_state", "jobs", ["kind", "id", "state"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_jobs_kind_id_state", table_name="jobs")
    op.execute("DELETE FROM idempotency_keys WHERE reply IS NOT NULL")
    op.drop_column("idempotency_keys", "reply")

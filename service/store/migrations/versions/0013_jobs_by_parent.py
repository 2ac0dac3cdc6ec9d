"""An index of jobs by the job that they retry."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("ix_jobs_parent_job_id", "jobs", ["parent_job_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_jobs_parent_job_id", table_name="jobs")

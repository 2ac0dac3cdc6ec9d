"""Which run of MLflow shows which job, and how much of it."""

import sqlalchemy as sa
from alembic import op

from service.store.schema import Utc

revision = "0020"
down_revision = "0019"

_NOT_ENDED = sa.text("NOT ended")


def upgrade() -> None:
    op.create_table(
        "mlflow_runs",
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", Utc(), nullable=False),
        sa.Column("leased_until", Utc(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("job_id", name="pk_mlflow_runs"),
    )
    op.create_index(
        "ix_mlflow_runs_next_try_at",
        "mlflow_runs",
        ["next_try_at"],
        sqlite_where=_NOT_ENDED,
        postgresql_where=_NOT_ENDED,
    )


def downgrade() -> None:
    op.drop_table("mlflow_runs")

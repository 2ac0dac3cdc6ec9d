"""Sweeps, and their trials."""

import sqlalchemy as sa
from alembic import op

from service.store.schema import Number, Utc

revision = "0022"
down_revision = "0021"

_LIVE_SWEEP = sa.text("state IN ('running', 'paused', 'cancelling')")
_LIVE_TRIAL = sa.text("state = 'live'")


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        sa.Column("submitted_by", sa.String(64), nullable=True),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sweeps"),
    )
    op.create_index(
        "ix_sweeps_live", "sweeps", ["id"], sqlite_where=_LIVE_SWEEP, postgresql_where=_LIVE_SWEEP
    )
    op.create_table(
        "trials",
        sa.Column("sweep_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.String(64), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("steps", Number, nullable=False),
        sa.Column("rungs", sa.JSON(), nullable=False),
        sa.Column("judged_step", Number, nullable=False),
        sa.Column("stopping", sa.Boolean(), nullable=False),
        sa.Column("paused_with_sweep", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name="fk_trials_sweep_id"),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_trials"),
    )
    op.create_index("ix_trials_job_id", "trials", ["job_id"])
    op.create_index(
        "ix_trials_live",
        "trials",
        ["sweep_id"],
        sqlite_where=_LIVE_TRIAL,
        postgresql_where=_LIVE_TRIAL,
    )


def downgrade() -> None:
    op.drop_table("trials")
    op.drop_table("sweeps")

"""Samples of the workers' use, and the GPUs of an attempt."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def _seconds() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("gpus", sa.JSON(), nullable=True))
    op.create_table(
        "samples",
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("at", _seconds(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("worker_id", "at", name=op.f("pk_samples")),
    )
    op.create_index("ix_samples_at", "samples", ["at"])
    op.create_table(
        "sample_hours",
        sa.Column("worker_id", sa.String(length=64), nullable=False),
        sa.Column("hour", _seconds(), autoincrement=False, nullable=False),
        sa.Column("fine", sa.LargeBinary(), nullable=False),
        sa.Column("coarse", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("worker_id", "hour", name=op.f("pk_sample_hours")),
    )
    op.create_index("ix_sample_hours_hour", "sample_hours", ["hour"])


def downgrade() -> None:
    op.drop_table("sample_hours")
    op.drop_table("samples")
    op.drop_column("attempts", "gpus")

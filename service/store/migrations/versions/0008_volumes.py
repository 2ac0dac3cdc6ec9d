"""The volume that belongs to the database, and why the volume of a worker is another one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "volumes",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("volume_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_volumes")),
    )
    op.add_column("workers", sa.Column("volume_problem", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "volume_problem")
    op.drop_table("volumes")

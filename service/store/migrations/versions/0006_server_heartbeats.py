"""When each server was last alive: what a starting one must know to judge silence."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

UTC = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "server_heartbeats",
        sa.Column("server_id", sa.String(length=64), nullable=False),
        sa.Column("alive_at", UTC, nullable=False),
        sa.Column("stopped_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("server_id", name=op.f("pk_server_heartbeats")),
    )


def downgrade() -> None:
    op.drop_table("server_heartbeats")

"""An index of the pinned checkpoints: few of very many."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_index(
        "ix_checkpoints_pinned",
        "checkpoints",
        ["created_at", "id"],
        sqlite_where=sa.text("pinned = 1"),
        postgresql_where=sa.text("pinned"),
    )


def downgrade() -> None:
    op.drop_index("ix_checkpoints_pinned", "checkpoints")

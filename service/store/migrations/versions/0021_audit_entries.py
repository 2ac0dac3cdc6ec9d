"""Who has changed what, and when."""

import sqlalchemy as sa
from alembic import op

from service.store.schema import Number, Utc

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("number", Number, autoincrement=True, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("actor", sa.String(64), nullable=True),
        sa.Column("role", sa.String(16), nullable=True),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("address", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entries_actor_number", "audit_entries", ["actor", "number"])
    op.create_index("ix_audit_entries_action_number", "audit_entries", ["action", "number"])
    op.create_index("ix_audit_entries_subject_number", "audit_entries", ["subject", "number"])


def downgrade() -> None:
    op.drop_table("audit_entries")

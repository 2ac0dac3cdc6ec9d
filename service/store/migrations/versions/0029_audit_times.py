"""The audit list by time, and what its filters mean by time."""

from alembic import op

revision = "0029"
down_revision = "0028"

_TABLE = "audit_entries"
_FILTERS = ("actor", "action", "subject")


def upgrade() -> None:
    for column in _FILTERS:
        op.drop_index(f"ix_{_TABLE}_{column}_number", _TABLE)
    op.create_index(f"ix_{_TABLE}_created_at_number", _TABLE, ["created_at", "number"])
    for column in _FILTERS:
        columns = [column, "created_at", "number"]
        op.create_index(f"ix_{_TABLE}_{column}_created_at_number", _TABLE, columns)


def downgrade() -> None:
    for column in reversed(_FILTERS):
        op.drop_index(f"ix_{_TABLE}_{column}_created_at_number", _TABLE)
    op.drop_index(f"ix_{_TABLE}_created_at_number", _TABLE)
    for column in _FILTERS:
        op.create_index(f"ix_{_TABLE}_{column}_number", _TABLE, [column, "number"])

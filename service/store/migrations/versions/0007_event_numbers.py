"""The number of a deleted event is never given to another on SQLite, as on PostgreSQL."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _make_anew(sqlite_autoincrement=True)


def downgrade() -> None:
    _make_anew(sqlite_autoincrement=False)


def _make_anew(*, sqlite_autoincrement: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    options = {"sqlite_autoincrement": sqlite_autoincrement}
    with op.batch_alter_table("events", recreate="always", table_kwargs=options):
        pass

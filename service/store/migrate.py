"""The schema, brought up to date at the start of a server."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x7472_6169_6E79_6172


def upgrade(tx: Connection, to: str = "head") -> None:
    """Apply the migrations that are missing, all in one transaction of `Database.migrate`.

    Servers that start at the same time do so one after the other.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    command.upgrade(_config(tx), to)


def downgrade(tx: Connection, to: str = "base") -> None:
    """Revert migrations in one transaction; what only newer tables hold is lost."""
    command.downgrade(_config(tx), to)


def revision_of(tx: Connection) -> str:
    """The revision of the last migration."""
    revision: str = tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    return revision


def _config(tx: Connection) -> Config:
    config = Config()
    # The value is read as one of an ini file, in which `%` is doubled.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = tx
    return config

"""The schema, brought up to date at the start of a server."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

_PLACE = Path(__file__).parent / "migrations"


def upgrade(tx: Connection, to: str = "head") -> None:
    """Apply the migrations that are missing, all in this transaction."""
    command.upgrade(_config(tx), to)


def downgrade(tx: Connection, to: str = "base") -> None:
    """Take migrations back; what only newer tables hold is lost."""
    command.downgrade(_config(tx), to)


def _config(tx: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_PLACE))
    config.attributes["connection"] = tx
    return config

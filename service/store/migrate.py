"""The schema, brought up to date at the start of a server."""

from pathlib import Path
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, inspect, make_url, text

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


def revision_in(url: str) -> str | None:
    """The revision of a database that a server may have open; None for one without tables.

    An SQLite file is opened for reading alone, and not made where there is none.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        parsed = parsed.set(
            database=f"file:{quote(parsed.database or '')}", query={"mode": "ro", "uri": "true"}
        )
    elif parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, poolclass=NullPool)
    with engine.connect() as tx:
        if not inspect(tx).has_table("alembic_version"):
            return None
        return revision_of(tx)


def revisions() -> list[str]:
    """The revisions that this version knows, the oldest first."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    return [script.revision for script in scripts][::-1]


def _config(tx: Connection) -> Config:
    config = Config()
    # The value is read as one of an ini file, in which `%` is doubled.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = tx
    return config

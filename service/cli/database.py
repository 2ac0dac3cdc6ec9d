"""Commands that maintain the database."""

from typing import Annotated

import typer

from service.cli import terminal
from service.cli.extras import require_extras


def upgrade(
    database_url: Annotated[
        str | None, typer.Option(help="URL of an SQLite or PostgreSQL database.")
    ] = None,
) -> None:
    """Migrate the database to this version's schema; its jobs stay as they are.

    A server also migrates its database when it starts.
    """
    require_extras("trainyard db upgrade", "server")
    from service.cli.server import upgrade_database

    terminal.echo(f"the schema is at {upgrade_database(database_url)}")

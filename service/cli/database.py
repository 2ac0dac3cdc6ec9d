"""Commands that maintain the database."""

from typing import Annotated

import typer

from service.cli.processes import settings_of
from service.devserver.restarting_process import REFUSED_STATUS


def upgrade(
    database_url: Annotated[
        str | None, typer.Option(help="URL of an SQLite or PostgreSQL database.")
    ] = None,
) -> None:
    """Migrate the database to this version's schema; its jobs stay as they are.

    A server also migrates its database when it starts.
    """
    settings = settings_of(database_url=database_url)
    # Imported here because the server's code is slow to load and most commands do not need it.
    from service.main import CannotStart, upgrade_database

    try:
        revision = upgrade_database(settings)
    except CannotStart as error:
        typer.echo(f"trainyard: {error}", err=True)
        raise typer.Exit(REFUSED_STATUS) from error
    typer.echo(f"the schema is at {revision}")

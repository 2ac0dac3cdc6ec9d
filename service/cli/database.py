"""Commands about the database itself."""

from typing import Annotated

import typer

from service.cli.processes import settings_of
from service.devserver.restarting_process import REFUSED


def upgrade(
    database_url: Annotated[str | None, typer.Option(help="SQLite or PostgreSQL.")] = None,
) -> None:
    """Bring the schema up to date; jobs in it stay as they are.

    A server does the same when it starts.
    """
    settings = settings_of(database_url=database_url)
    # Only this command needs the server's code, and the time that it takes to load.
    from service.main import CannotStart, upgrade_database

    try:
        revision = upgrade_database(settings)
    except CannotStart as error:
        typer.echo(f"trainyard: {error}", err=True)
        raise typer.Exit(REFUSED) from error
    typer.echo(f"the schema is at {revision}")

"""Commands that maintain the database."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli import figures, terminal
from service.cli.documents import Backup, DatabaseCheck, Restoration, Schema
from service.cli.exit_codes import BadInput, Failed
from service.cli.extras import require_extras
from service.cli.options import AsJson, print_json

DatabaseUrl = Annotated[
    str | None,
    typer.Option(envvar="TRAINYARD_DATABASE_URL", help="URL of an SQLite or PostgreSQL database."),
]


def upgrade(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Migrate the database to this version's schema; its jobs stay as they are.

    A server also migrates its database when it starts.
    """
    require_extras("trainyard db upgrade", "server")
    from service.cli.server import upgrade_database

    revision = upgrade_database(database_url)
    if as_json:
        print_json(Schema(revision=revision))
        return
    terminal.echo(f"the schema is at {revision}")


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The copy; a new file.")],
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database into a file, also while a server runs.

    The volume is not in it: copy its folder after the database, so that no checkpoint is missing
    that the copy knows.
    """
    require_extras("trainyard db backup", "server")
    from service.cli.server import back_up_database

    url = back_up_database(database_url, target)
    size = target.stat().st_size
    if as_json:
        print_json(Backup(path=target, bytes=size, database_url=url))
        return
    terminal.echo(f"{target}: {figures.size(size)}, a copy of {url}")


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A copy of `db backup`.")],
    database_url: DatabaseUrl = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Replace what a PostgreSQL database has.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a copy in the place of the database; refused while a server has it open.

    Of an SQLite database the file that was there is kept beside it.
    """
    require_extras("trainyard db restore", "server")
    from service.cli.server import restore_database

    if database_url is not None and not database_url.startswith("sqlite") and not yes:
        raise BadInput(
            "a restore replaces all that this PostgreSQL database has: back it up by "
            "`trainyard db backup FILE`, and say --yes"
        )
    kept = restore_database(database_url, source)
    if as_json:
        print_json(Restoration(source=source, kept=kept))
        return
    terminal.echo(f"restored from {source}")
    if kept is not None:
        terminal.echo(f"what was there is kept as {kept}")


def check(database_url: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Look for damage in the database, also while a server runs; the exit status is 1 for any."""
    require_extras("trainyard db check", "server")
    from service.cli.server import database_problems

    problems = database_problems(database_url)
    if as_json:
        print_json(DatabaseCheck(ok=not problems, problems=tuple(problems)))
    if problems:
        raise Failed("\n".join(problems))
    if not as_json:
        terminal.echo("the database is whole, and its schema is this version's")

"""The only module of the commands that imports the server's code.

It needs the `server` extra, so a command imports it only when it runs.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import ArgumentError, DBAPIError

from service import main
from service.cli import terminal
from service.cli.exit_codes import BadInput, Failed
from service.contract.access import NewAccessToken, Role, TokenRequest
from service.contract.ids import new_id
from service.contract.sentences import sentence_of
from service.control.access import tokens
from service.control.checkpoints import reindex as reindexing
from service.control.checkpoints.reindex import ReindexResult
from service.devserver.restarting_process import REFUSED_STATUS
from service.domain.errors import TrainyardError as RefusedByServer
from service.opening import CannotStart, open_database
from service.settings import Settings
from service.store import backups
from service.store.backups import BackupFailed
from service.store.engine import url_of
from service.store.migrate import revision_in, revisions
from service.store.sqlite import DatabaseInUse


def settings_of(**options: Any) -> Settings:
    """The settings of the environment; an option that is not None replaces its variable.

    Raises BadInput for invalid settings.
    """
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise BadInput(f"invalid settings: {sentence_of(error)}") from error


def run_server(**options: Any) -> None:
    """Run the control plane until it is stopped; exits with status 2 if it cannot start."""
    settings = settings_of(**options)
    with _refusal_as_exit_status():
        main.serve(settings)


def upgrade_database(database_url: str | None) -> str:
    """Migrate the database, and return the revision of its schema."""
    settings = settings_of(database_url=database_url)
    with _refusal_as_exit_status():
        return main.upgrade_database(settings)


def create_admin_token(database_url: str, name: str, expires_at: datetime | None) -> NewAccessToken:
    """Make an admin's token in the database itself; raises Failed, BadInput."""
    try:
        database = open_database(database_url)
    except CannotStart as error:
        if isinstance(error.__cause__, DatabaseInUse):
            message = "stop it, or have it make one: trainyard token create NAME --role admin"
            raise Failed(f"a server has {database_url} open: {message}") from error
        raise Failed(str(error)) from error
    try:
        request = TokenRequest(name=name, role=Role.ADMIN, expires_at=expires_at)
        with database.write() as tx:
            return tokens.create(
                tx,
                request,
                token_id=new_id("tok"),
                secret=tokens.PREFIX + secrets.token_urlsafe(32),
                now=datetime.now(UTC),
            )
    except ValidationError as error:
        raise BadInput(sentence_of(error)) from error
    except RefusedByServer as error:
        raise Failed(error.message) from error
    finally:
        database.close()


def schema_revisions(database_url: str) -> tuple[str | None, list[str]]:
    """The revision of a database's schema, None without one, and those of this version in order.

    Only reads, also beside a server that runs; raises Failed.
    """
    try:
        return revision_in(database_url), revisions()
    except (ArgumentError, ImportError, DBAPIError, OSError, ValueError) as error:
        raise Failed(str(error).split("\n")[0]) from error


def back_up_database(database_url: str | None, target: Path) -> str:
    """Copy the database into a file; gives the database's address, without its password."""
    url = settings_of(database_url=database_url).database_url
    with _backup_errors():
        backups.back_up(url, target)
        return url_of(url).render_as_string()


def restore_database(database_url: str | None, source: Path) -> Path | None:
    """Put a copy in the place of the database; gives the file that keeps the one before."""
    url = settings_of(database_url=database_url).database_url
    with _backup_errors():
        return backups.restore(url, source, datetime.now(UTC))


def database_problems(database_url: str | None) -> list[str]:
    """What is wrong with the database; raises Failed if it cannot be read at all."""
    url = settings_of(database_url=database_url).database_url
    with _backup_errors():
        return backups.problems_of(url)


@contextmanager
def _backup_errors() -> Iterator[None]:
    try:
        yield
    except (BackupFailed, DatabaseInUse) as error:
        raise Failed(str(error)) from error
    except (ArgumentError, ImportError, DBAPIError, OSError, ValueError) as error:
        raise Failed(f"the database cannot be used: {str(error).splitlines()[0]}") from error


def rebuild_index(database_url: str, volume: Path) -> ReindexResult:
    """Rebuild the index of a volume, with a progress bar; raises Failed."""
    try:
        database = open_database(database_url)
    except CannotStart as error:
        raise Failed(str(error)) from error
    try:
        with _bar() as bar:
            task = bar.add_task("reading", total=None)
            return reindexing.reindex(
                database,
                volume,
                now=datetime.now(UTC),
                on_total=lambda total: bar.update(task, total=total),
                on_read=lambda count: bar.advance(task, count),
            )
    except (OSError, DBAPIError) as error:
        raise Failed(str(error).split("\n")[0]) from error
    finally:
        database.close()


@contextmanager
def _refusal_as_exit_status() -> Iterator[None]:
    try:
        yield
    except CannotStart as error:
        terminal.echo_error(f"trainyard: {error}")
        raise typer.Exit(REFUSED_STATUS) from error


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = terminal.console(stderr=True)
    return Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        disable=not terminal.is_screen(console),
    )

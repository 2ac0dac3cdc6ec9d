"""The only module of the commands that imports the server's code.

It needs the `server` extra, so a command imports it only when it runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import DBAPIError

from service import main
from service.cli import terminal
from service.cli.exit_codes import BadInput, Failed
from service.contract.sentences import sentence_of
from service.control.checkpoints import reindex as reindexing
from service.control.checkpoints.reindex import ReindexResult
from service.devserver.restarting_process import REFUSED_STATUS
from service.settings import Settings


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


def rebuild_index(database_url: str, volume: Path) -> ReindexResult:
    """Rebuild the index of a volume, with a progress bar; raises Failed."""
    try:
        database = main.open_database(database_url)
    except main.CannotStart as error:
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
    except main.CannotStart as error:
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

"""Options that several commands take, and functions that print models and tables."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.table import Table

from service.cli import terminal
from service.client import TrainyardClient

_WIDER_THAN_ANY_ROW = 10_000
MOST = 1_000_000
"""The highest --limit of a list."""

LOCAL_SERVER = "http://127.0.0.1:8000"

Server = Annotated[str, typer.Option(envvar="TRAINYARD_SERVER", help="Address of the server.")]
Token = Annotated[
    str | None,
    typer.Option(envvar="TRAINYARD_TOKEN", help="Bearer token.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
JobIds = Annotated[list[str], typer.Argument(metavar="JOB...", help="The ids of the jobs.")]


def connect(server: str, token: str | None) -> TrainyardClient:
    """A client of the server at the URL `server`."""
    return TrainyardClient(server, token)


def print_json(model: BaseModel) -> None:
    """Print a model as indented JSON."""
    terminal.echo_json(model.model_dump_json(indent=2))


def print_json_lines(models: Iterable[BaseModel]) -> None:
    """Print each model as one line of JSON, as soon as it arrives."""
    for model in models:
        terminal.echo_json(model.model_dump_json())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as a table; without a terminal, each row is one line however long."""
    console = terminal.console()
    if not console.is_terminal:
        console.width = _WIDER_THAN_ANY_ROW
    table = Table(box=None, pad_edge=False)
    table.add_column(columns[0], no_wrap=True)
    for title in columns[1:]:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(terminal.visible, row))
    console.print(table)

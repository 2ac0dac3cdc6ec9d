"""Options that several commands take, and functions that print models."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer
from pydantic import BaseModel

from service.cli import terminal
from service.cli.completion import jobs_beginning_with, sweeps_beginning_with
from service.client import Client

MOST = 1_000_000
"""The highest --limit of a list."""

LOCAL_SERVER = "http://127.0.0.1:8000"

_PANEL = "Server and output"
Server = Annotated[
    str,
    typer.Option(envvar="TRAINYARD_SERVER", help="Address of the server.", rich_help_panel=_PANEL),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="TRAINYARD_TOKEN",
        help="Bearer token.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.", rich_help_panel=_PANEL)]
JobId = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="Id, its unique beginning, name, or @last.",
        autocompletion=jobs_beginning_with,
    ),
]
JobIds = Annotated[
    list[str],
    typer.Argument(
        metavar="JOB...",
        help="Ids, their unique beginnings, names, @last.",
        autocompletion=jobs_beginning_with,
    ),
]
SweepId = Annotated[
    str,
    typer.Argument(
        metavar="SWEEP",
        help="Id, its unique beginning, name, or @last.",
        autocompletion=sweeps_beginning_with,
    ),
]
CheckpointId = Annotated[
    str, typer.Argument(metavar="CHECKPOINT", help="Id, its unique beginning, tag, or @last.")
]
WorkerId = Annotated[
    str, typer.Argument(metavar="WORKER", help="Id, its unique beginning, host, or @last.")
]


def connect(server: str, token: str | None) -> Client:
    """A client of the server at the URL `server`."""
    return Client(server, token)


def print_json(model: BaseModel) -> None:
    """Print a model as indented JSON."""
    terminal.echo_json(model.model_dump_json(indent=2))


def print_json_lines(models: Iterable[BaseModel]) -> None:
    """Print each model as one line of JSON, as soon as it arrives."""
    for model in models:
        terminal.echo_json(model.model_dump_json())


def print_json_rows(rows: Iterable[Mapping[str, object]]) -> None:
    """Print each row as one line of JSON."""
    for row in rows:
        terminal.echo_json(json.dumps(row, allow_nan=False))

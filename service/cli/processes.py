"""Commands that start processes on this machine."""

import importlib.util
import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from service.cli.demo import run_demo
from service.cli.group import BadInput
from service.cli.options import Token, connect
from service.contract.sentences import sentence_of
from service.devserver.local_paths import LocalPaths
from service.devserver.restarting_process import REFUSED_STATUS
from service.devserver.up import up as run_up
from service.settings import Settings

DataDir = Annotated[Path, typer.Option(help="Data folder of the installation; created if missing.")]
Port = Annotated[
    int, typer.Option(envvar="TRAINYARD_PORT", min=1, max=65_535, help="Port to listen on.")
]
Host = Annotated[str, typer.Option(envvar="TRAINYARD_HOST", help="Address to listen on.")]


def up(
    data_dir: DataDir = Path("yard"),
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(min=0, max=256, help="Number of workers.")] = 1,
) -> None:
    """Start a server and workers; Ctrl-C stops them.

    TRAINYARD_DATABASE_URL, _VOLUME, _DATA_ROOT and _IMPORT_ROOT take precedence over the folder.
    """
    run_up(LocalPaths(data_dir, host, port, os.environ), workers, settings_of(), typer.echo)


def demo(data_dir: DataDir = Path("yard"), port: Port = 8000) -> None:
    """Start a server and a worker, train and evaluate on the digits, and stop them."""
    token = settings_of().token
    paths = LocalPaths(data_dir, "127.0.0.1", port, os.environ)
    run_demo(paths, token.get_secret_value() if token else None, Console(highlight=False))


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port to listen on.")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="URL of an SQLite or PostgreSQL database.")
    ] = None,
    volume: Annotated[Path | None, typer.Option(help="Folder of the checkpoints.")] = None,
    data_root: Annotated[Path | None, typer.Option(help="Folder of the data sets.")] = None,
    import_root: Annotated[Path | None, typer.Option(help="Folder of weights to import.")] = None,
) -> None:
    """Run the control plane.

    TRAINYARD_… variables set everything that has no option.
    """
    settings = settings_of(
        host=host,
        port=port,
        database_url=database_url,
        volume=volume,
        data_root=data_root,
        import_root=import_root,
    )
    # Imported here because the server's code is slow to load and most commands do not need it.
    from service.main import CannotStart
    from service.main import serve as run_server

    try:
        run_server(settings)
    except CannotStart as error:
        typer.echo(f"trainyard: {error}", err=True)
        raise typer.Exit(REFUSED_STATUS) from error


def worker(context: typer.Context) -> None:
    """Run a worker; --help lists its options."""
    if importlib.util.find_spec("workers") is None:
        raise BadInput(
            "the workers are not installed here: pip install 'trainyard-service[workers]'"
        )
    os.execv(sys.executable, [sys.executable, "-m", "workers", *context.args])


def version(
    server: Annotated[
        str | None, typer.Option(help="Also print the version of this server.")
    ] = None,
    token: Token = None,
) -> None:
    """Print the installed version, and with --server the server's."""
    typer.echo(installed_version("trainyard-service"))
    if server is not None:
        with connect(server, token) as client:
            typer.echo(f"{server}: {client.version().get('version')}")


def settings_of(**options: Any) -> Settings:
    """The settings of the environment; an option that is not None replaces its variable.

    Raises BadInput for invalid settings.
    """
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        raise BadInput(f"invalid settings: {sentence_of(error)}") from error

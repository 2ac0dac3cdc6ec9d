"""Commands that start processes on this machine.

They import what they run only when they run: a client's installation does not have it.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from service import __version__
from service.cli import terminal
from service.cli.documents import Version
from service.cli.extras import require_extras
from service.cli.options import AsJson, Token, connect, print_json

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
    extras = ("server", "workers") if workers else ("server",)
    require_extras("trainyard up", *extras)
    from service.cli.server import settings_of
    from service.devserver.local_paths import LocalPaths
    from service.devserver.up import up as run_up

    settings = settings_of()
    run_up(
        LocalPaths(data_dir, host, port, os.environ),
        workers,
        settings.token.get_secret_value() if settings.token else None,
        settings.kill_grace_seconds,
        terminal.echo,
    )


def demo(
    data_dir: DataDir = Path("yard"),
    port: Port = 8000,
    search: Annotated[
        bool, typer.Option("--search", help="Train a supernet, search it, train the best path.")
    ] = False,
) -> None:
    """Start a server and a worker, train and evaluate on the digits, and stop them."""
    require_extras("trainyard demo", "server", "workers")
    from service.cli.demo import run_demo
    from service.cli.demo_search import run_search_demo
    from service.cli.server import settings_of
    from service.devserver.local_paths import LocalPaths

    token = settings_of().token
    paths = LocalPaths(data_dir, "127.0.0.1", port, os.environ)
    run = run_search_demo if search else run_demo
    run(paths, token.get_secret_value() if token else None)


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
    require_extras("trainyard serve", "server")
    from service.cli.server import run_server

    run_server(
        host=host,
        port=port,
        database_url=database_url,
        volume=volume,
        data_root=data_root,
        import_root=import_root,
    )


def worker(context: typer.Context) -> None:
    """Run a worker; --help lists its options."""
    require_extras("trainyard worker", "workers")
    os.execv(sys.executable, [sys.executable, "-m", "workers", *context.args])


def version(
    server: Annotated[
        str | None, typer.Option(help="Also print the version of this server.")
    ] = None,
    as_json: AsJson = False,
    token: Token = None,
) -> None:
    """Print the installed version, and with --server the server's."""
    if not as_json:
        terminal.echo(__version__)
    answer = None
    if server is not None:
        with connect(server, token) as client:
            answer = client.version()
    if as_json:
        print_json(Version(version=__version__, server=answer))
    elif answer is not None:
        terminal.echo(f"{server}: {answer.get('version')}")

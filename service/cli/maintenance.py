"""Commands that verify checkpoints, remove unneeded ones, and rebuild their index."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli import figures, volume
from service.cli.group import BadInput
from service.cli.options import LOCAL_SERVER, AsJson, Server, Token, connect, print_json
from service.devserver.local_paths import LocalPaths


def verify(
    target: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT|DIR", help="A checkpoint's id, or a folder of a volume."
        ),
    ],
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Read every byte of a checkpoint; exit status 1 if it is damaged. DIR needs no server."""
    if Path(target).is_dir() or "/" in target:
        volume.verify_folders(Path(target))
        return
    with connect(server, token) as client:
        verification = client.verify_checkpoint(target)
    if as_json:
        print_json(verification)
    if not verification.ok:
        raise BadInput(f"{target} is damaged: {'; '.join(verification.problems)}")
    if not as_json:
        typer.echo(f"{target}: whole")


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be removed.")
    ] = False,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Remove checkpoints beyond the retention rule, unindexed folders, and leftovers of crashes."""
    with connect(server, token) as client:
        collection = client.collect_garbage(dry_run=dry_run)
    if as_json:
        print_json(collection)
        return
    for garbage in collection.data:
        typer.echo(f"{garbage.path} ({figures.size(garbage.bytes)}): {garbage.why}")
    freed = figures.size(sum(garbage.bytes for garbage in collection.data))
    typer.echo(
        f"{'would be removed' if dry_run else 'removed'}: {len(collection.data)} in all, {freed}"
    )


def reindex(
    data_dir: Annotated[
        Path, typer.Option(help="Data folder of the installation, as given to `up`.")
    ] = Path("yard"),
) -> None:
    """Rebuild the index from the checkpoint folders; with SQLite, stop the server first.

    TRAINYARD_DATABASE_URL and _VOLUME take precedence over the data folder.
    """
    env = LocalPaths(data_dir, "127.0.0.1", 8000, os.environ).environment()
    if not (Path(env["TRAINYARD_VOLUME"]) / "jobs").is_dir():
        raise BadInput(
            f"{env['TRAINYARD_VOLUME']} has no folder named jobs: is the volume mounted?"
        )
    # Imported here because the database code is slow to load and most commands do not need it.
    from sqlalchemy.exc import DBAPIError

    from service.control.checkpoints import reindex as reindexing
    from service.store.engine import Database, DatabaseInUse
    from service.store.migrate import upgrade

    try:
        database = Database(env["TRAINYARD_DATABASE_URL"])
    except DatabaseInUse as error:
        raise BadInput(str(error)) from error
    try:
        with database.write() as tx:
            upgrade(tx)
        with _bar() as bar:
            task = bar.add_task("reading", total=None)
            result = reindexing.rescan(
                database,
                Path(env["TRAINYARD_VOLUME"]),
                now=datetime.now(UTC),
                on_total=lambda total: bar.update(task, total=total),
                on_read=lambda count: bar.advance(task, count),
            )
    except (OSError, DBAPIError) as error:
        raise BadInput(str(error).split("\n")[0]) from error
    finally:
        database.close()
    for sentence in result.left:
        typer.echo(sentence, err=True)
    typer.echo(
        f"checkpoints adopted: {len(result.adopted)} (jobs not known before: {len(result.jobs)}), "
        f"whole again: {len(result.healed)}, damaged: {len(result.damaged)}"
    )


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    return Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )

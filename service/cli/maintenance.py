"""Commands that look after checkpoints: verify, collect what nobody needs, index anew."""

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
        str, typer.Argument(metavar="CHECKPOINT|DIR", help="An id, or a folder of a volume.")
    ],
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Read every byte of a checkpoint; status 1 if it is damaged. A DIR needs no server."""
    if Path(target).is_dir() or "/" in target:
        volume.verify_folders(Path(target))
        return
    with connect(server, token) as client:
        found = client.verify_checkpoint(target)
    if as_json:
        print_json(found)
    if not found.ok:
        raise BadInput(f"{target} is damaged: {'; '.join(found.problems)}")
    if not as_json:
        typer.echo(f"{target}: whole")


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Remove what nobody needs: surplus of ended jobs, orphans, leftovers of crashes."""
    with connect(server, token) as client:
        found = client.collect_garbage(dry_run=dry_run)
    if as_json:
        print_json(found)
        return
    for garbage in found.data:
        typer.echo(f"{garbage.path} ({figures.size(garbage.bytes)}): {garbage.why}")
    freed = figures.size(sum(garbage.bytes for garbage in found.data))
    typer.echo(f"{'would go' if dry_run else 'gone'}: {len(found.data)} in all, {freed}")


def rescan(
    data_dir: Annotated[Path, typer.Option(help="Folder of the yard, as of `up`.")] = Path("yard"),
) -> None:
    """Make the index agree with the folders; stop the server first if it uses SQLite.

    TRAINYARD_DATABASE_URL and _VOLUME go before the folder.
    """
    env = LocalPaths(data_dir, "127.0.0.1", 8000, os.environ).environment()
    if not (Path(env["TRAINYARD_VOLUME"]) / "jobs").is_dir():
        raise BadInput(f"{env['TRAINYARD_VOLUME']} has no folder jobs: is the volume mounted?")
    # Only this command needs the database's code, and the time that it takes to load.
    from sqlalchemy.exc import DBAPIError

    from service.control.checkpoints import reindex as index
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
            told = index.rescan(
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
    for sentence in told.left:
        typer.echo(sentence, err=True)
    typer.echo(
        f"checkpoints adopted: {len(told.adopted)} (jobs not known before: {len(told.jobs)}), "
        f"whole again: {len(told.healed)}, damaged: {len(told.damaged)}"
    )


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    return Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )

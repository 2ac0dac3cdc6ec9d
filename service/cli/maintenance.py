"""Commands that verify checkpoints, remove unneeded ones, and rebuild their index."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service.cli import figures, terminal, volume
from service.cli.documents import Reindexing
from service.cli.exit_codes import BadInput, Failed
from service.cli.extras import require_extras
from service.cli.options import LOCAL_SERVER, AsJson, Server, Token, connect, print_json
from service.cli.references import checkpoint_id_of
from service.volume.manifests import is_of_newer_version


def verify(
    target: Annotated[
        str,
        typer.Argument(metavar="CHECKPOINT|DIR", help="Id, tag, @last, or a folder of a volume."),
    ],
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Read every byte of a checkpoint; exit status 1 if it is damaged. DIR needs no server."""
    if Path(target).is_dir() or "/" in target:
        volume.verify_folders(Path(target), as_json=as_json)
        return
    with connect(server, token) as client:
        target = checkpoint_id_of(client, target)
        verification = client.verify_checkpoint(target)
    if as_json:
        print_json(verification)
    if not verification.ok:
        newer = is_of_newer_version(verification.problems)
        what = "cannot be read" if newer else "is damaged"
        raise Failed(f"{target} {what}: {'; '.join(verification.problems)}")
    if not as_json:
        terminal.echo(f"{target}: whole")


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
    for sentence in collection.left:
        terminal.echo_error(sentence)
    for garbage in collection.data:
        terminal.echo(f"{garbage.path} ({figures.size(garbage.bytes)}): {garbage.why}")
    freed = figures.size(sum(garbage.bytes for garbage in collection.data))
    terminal.echo(
        f"{'would be removed' if dry_run else 'removed'}: {len(collection.data)} in all, {freed}"
    )


def reindex(
    data_dir: Annotated[
        Path, typer.Option(help="Data folder of the installation, as given to `up`.")
    ] = Path("yard"),
    as_json: AsJson = False,
) -> None:
    """Rebuild the index from the checkpoint folders; with SQLite, stop the server first.

    TRAINYARD_DATABASE_URL and _VOLUME take precedence over the data folder.
    """
    require_extras("trainyard checkpoints reindex", "server")
    from service.cli.server import rebuild_index
    from service.devserver.local_paths import LocalPaths

    env = LocalPaths(data_dir, "127.0.0.1", 8000, os.environ).environment()
    if not (Path(env["TRAINYARD_VOLUME"]) / "jobs").is_dir():
        raise BadInput(
            f"{env['TRAINYARD_VOLUME']} has no folder named jobs: is the volume mounted?"
        )
    result = rebuild_index(env["TRAINYARD_DATABASE_URL"], Path(env["TRAINYARD_VOLUME"]))
    if as_json:
        print_json(Reindexing.model_validate(asdict(result)))
        return
    for sentence in result.left:
        terminal.echo_error(sentence)
    terminal.echo(
        f"checkpoints adopted: {len(result.adopted)} (jobs not known before: {len(result.jobs)}), "
        f"whole again: {len(result.healed)}, damaged: {len(result.damaged)}"
    )

"""Commands that list, find and download checkpoints; each is one call of the client."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import typer

from service.cli import figures, terminal, volume
from service.cli.exit_codes import BadInput, Failed
from service.cli.exports import AsCsv, Output, export_items, is_export
from service.cli.options import (
    LOCAL_SERVER,
    MOST,
    AsJson,
    CheckpointId,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
)
from service.cli.references import checkpoint_id_of, job_id_of
from service.cli.tables import print_table
from service.cli.written_files import show_written
from service.client import Client
from service.contract.checkpoints import Checkpoint, Measured, SortKey
from service.contract.flat_rows import CHECKPOINT_COLUMNS

_LISTED = 20
OnVolume = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR",
        help="A volume or a folder in it, which is read without a server.",
        show_default=False,
    ),
]
OfJob = Annotated[str | None, typer.Option("--job", help="Only checkpoints of this job.")]
OfRecipe = Annotated[str | None, typer.Option("--recipe", help="Only checkpoints of this recipe.")]
OfVariant = Annotated[
    str | None, typer.Option("--variant", help="Only checkpoints of this variant.")
]


def list_checkpoints(
    folder: OnVolume = None,
    job: OfJob = None,
    recipe: OfRecipe = None,
    variant: OfVariant = None,
    tag: Annotated[str | None, typer.Option(help="Only checkpoints with this tag.")] = None,
    order_by: Annotated[
        SortKey,
        typer.Option(help="Sort key, such as -step or metrics.top1_error; - means descending."),
    ] = "-created_at",
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST,
            help="The most checkpoints to list; 20, and with --csv or --output all.",
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    output: Output = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List checkpoints, the newest first; those below DIR by step, the highest first."""
    exports = is_export(as_csv=as_csv, output=output, as_json=as_json)
    if folder is not None:
        if exports:
            raise BadInput("--csv and --output take the list of a server: leave DIR out")
        volume.list_folders(folder, limit or _LISTED, as_json=as_json)
        return
    with connect(server, token) as client:
        found = client.checkpoints(
            job=_job(client, job), recipe=recipe, variant=variant, tag=tag, order_by=order_by
        )
        if exports:
            export_items(found, output, CHECKPOINT_COLUMNS, limit)
            return
        checkpoints = islice(found, limit or _LISTED)
        if as_json:
            print_json_lines(checkpoints)
        else:
            titles = ("CHECKPOINT", "JOB", "STEP", "PHASE", "TOP-1 ERROR", "SIZE", "CREATED")
            print_table(titles, map(_row, checkpoints))


def latest(
    folder: OnVolume = None,
    job: OfJob = None,
    recipe: OfRecipe = None,
    variant: OfVariant = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print the id of the newest checkpoint; with DIR, the valid folder of the highest step."""
    if folder is not None:
        volume.latest_folder(folder, as_json=as_json)
        return
    with connect(server, token) as client:
        checkpoint = client.latest_checkpoint(job=_job(client, job), recipe=recipe, variant=variant)
    print_json(checkpoint) if as_json else terminal.echo(checkpoint.id)


def best(
    job: OfJob = None,
    recipe: OfRecipe = None,
    variant: OfVariant = None,
    metric: Annotated[Measured, typer.Option(help="What it is best at.")] = "top1_error",
    mode: Annotated[
        Literal["min", "max"], typer.Option(help="Whether the lowest or the highest is best.")
    ] = "min",
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print the id of the best checkpoint: by default the one with the lowest top-1 error."""
    with connect(server, token) as client:
        checkpoint = client.best_checkpoint(
            metric=metric, mode=mode, job=_job(client, job), recipe=recipe, variant=variant
        )
    print_json(checkpoint) if as_json else terminal.echo(checkpoint.id)


def download(
    checkpoint_id: CheckpointId,
    file: Annotated[str | None, typer.Option(help="Download only this file.")] = None,
    to: Annotated[
        Path | None, typer.Option(help="Target folder; by default named after the checkpoint's id.")
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Download a checkpoint's files; a file that does not verify is not left behind."""
    with connect(server, token) as client:
        checkpoint_id = checkpoint_id_of(client, checkpoint_id)
        folder = to or Path(checkpoint_id)
        names = [file] if file else sorted(client.checkpoint(checkpoint_id).files)
        paths = _downloaded(client, checkpoint_id, names, folder)
        show_written(checkpoint_id, paths, as_json=as_json)


def _downloaded(
    client: Client, checkpoint_id: str, names: Sequence[str], folder: Path
) -> Iterator[Path]:
    for name in names:
        if Path(name).name != name:
            raise Failed(f"{name!r} is not the name of a file in a checkpoint")
        yield client.download(checkpoint_id, name, folder / name)


def _job(client: Client, reference: str | None) -> str | None:
    return job_id_of(client, reference) if reference else None


def _row(checkpoint: Checkpoint) -> tuple[str, ...]:
    return (
        checkpoint.id,
        checkpoint.job_id,
        str(checkpoint.step),
        checkpoint.phase,
        figures.error_rate(checkpoint.metrics.get("top1_error")),
        figures.size(checkpoint.bytes),
        figures.moment(checkpoint.created_at),
    )

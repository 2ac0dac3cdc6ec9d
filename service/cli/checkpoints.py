"""Commands about checkpoints: each one call of the client."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from service.cli import figures, volume
from service.cli.group import BadInput
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    Server,
    Token,
    connect,
    print_json,
    print_json_lines,
    print_table,
)
from service.contract.checkpoints import Checkpoint

OnVolume = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR",
        help="A volume, or any folder in it: then no server is asked.",
        show_default=False,
    ),
]
OfJob = Annotated[str | None, typer.Option("--job", help="Only of this job.")]
OfRecipe = Annotated[str | None, typer.Option("--recipe", help="Only of this recipe.")]


def list_checkpoints(
    folder: OnVolume = None,
    job: OfJob = None,
    recipe: OfRecipe = None,
    tag: Annotated[str | None, typer.Option(help="Only with this tag.")] = None,
    order_by: Annotated[str, typer.Option(help="-step, metrics.top1_error …")] = "-created_at",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List checkpoints, the newest first; of a DIR the highest steps first."""
    if folder is not None:
        volume.list_folders(folder, limit, as_json=as_json)
        return
    with connect(server, token) as client:
        filters = _filters(job, recipe) | {"order_by": order_by}
        filters |= {"tag": tag} if tag is not None else {}
        chosen = islice(client.checkpoints(**filters), limit)
        if as_json:
            print_json_lines(chosen)
        else:
            titles = ("CHECKPOINT", "JOB", "STEP", "PHASE", "TOP-1 ERROR", "SIZE", "CREATED")
            print_table(titles, map(_row, chosen))


def latest(
    folder: OnVolume = None,
    job: OfJob = None,
    recipe: OfRecipe = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print the newest checkpoint's id; of a DIR the folder of the highest step that verifies."""
    if folder is not None:
        volume.latest_folder(folder, as_json=as_json)
        return
    with connect(server, token) as client:
        found = client.latest_checkpoint(**_filters(job, recipe))
    print_json(found) if as_json else typer.echo(found.id)


def download(
    checkpoint_id: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Its id.")],
    file: Annotated[str | None, typer.Option(help="Only this file.")] = None,
    to: Annotated[
        Path | None, typer.Option(help="Folder; by default one with the id as its name.")
    ] = None,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Download a checkpoint's files; each is verified, and whole or absent."""
    folder = to or Path(checkpoint_id)
    with connect(server, token) as client:
        names = [file] if file else sorted(client.checkpoint(checkpoint_id).files)
        for name in names:
            if Path(name).name != name:
                raise BadInput(f"{name!r} is not the name of a file in a checkpoint")
            typer.echo(str(client.download(checkpoint_id, name, folder / name)))


def _filters(job: str | None, recipe: str | None) -> dict[str, str]:
    return {name: value for name, value in {"job": job, "recipe": recipe}.items() if value}


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

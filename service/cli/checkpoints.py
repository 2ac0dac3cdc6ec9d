"""Commands about checkpoints: each one call of the client."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from service.cli import figures
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

OfJob = Annotated[str | None, typer.Option("--job", help="Only of this job.")]
OfRecipe = Annotated[str | None, typer.Option("--recipe", help="Only of this recipe.")]


def list_checkpoints(
    job: OfJob = None,
    recipe: OfRecipe = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """List checkpoints, the newest first."""
    with connect(server, token) as client:
        chosen = islice(client.checkpoints(**_filters(job, recipe)), limit)
        if as_json:
            print_json_lines(chosen)
        else:
            titles = ("CHECKPOINT", "JOB", "STEP", "PHASE", "TOP-1 ERROR", "SIZE", "CREATED")
            print_table(titles, map(_row, chosen))


def latest(
    job: OfJob = None,
    recipe: OfRecipe = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Print the newest checkpoint's id."""
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

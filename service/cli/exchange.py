"""Commands for the weights of other programs: in from a file, out as one."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from service.cli.group import BadInput
from service.cli.jobs import require_success
from service.cli.options import LOCAL_SERVER, AsJson, Server, Token, connect, print_json
from service.cli.progress import JobProgress
from service.contract.exchange import ExportFormat, ExportRequest, ImportRequest


def import_(
    file: Annotated[
        str, typer.Argument(help="Path below the import root: .pth.tar, .pkl, .pth, .safetensors.")
    ],
    recipe: Annotated[str | None, typer.Option(help="Found from the file if left out.")] = None,
    variant: Annotated[str | None, typer.Option(help="Found from the file if left out.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="May be given more than once.")] = None,
    preprocessing: Annotated[
        str | None, typer.Option(help="What the weights were trained with.")
    ] = None,
    mean_image: Annotated[
        str | None, typer.Option(help="Below the import root, for bgr255_minus_mean.")
    ] = None,
    image_size: Annotated[int, typer.Option(help="In pixels.")] = 224,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Import published weights, and print the new checkpoint's id."""
    try:
        request = ImportRequest.model_validate(
            {
                "file": file,
                "recipe": recipe,
                "variant": variant,
                "tags": tag or (),
                "preprocessing": preprocessing,
                "mean_image": mean_image,
                "image_size": image_size,
            }
        )
    except ValidationError as error:
        raise BadInput(_sentence(error)) from error
    with connect(server, token) as client:
        with JobProgress(Console(stderr=True, highlight=False)) as progress:
            job = client.wait(client.import_weights(request).id, progress.show)
        require_success(job)
        found = client.latest_checkpoint(job=job.id)
    print_json(found) if as_json else typer.echo(found.id)


def export(
    checkpoint_id: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Its id.")],
    format: Annotated[ExportFormat, typer.Option(help="What the other program reads.")] = "pth.tar",
    module_prefix: Annotated[
        bool, typer.Option("--module-prefix", help="'module.' before each name, for pth.tar.")
    ] = False,
    to: Annotated[Path, typer.Option(help="Folder for the file.")] = Path(),
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Export a checkpoint as one file for another program, and download it."""
    request = ExportRequest(checkpoint=checkpoint_id, format=format, module_prefix=module_prefix)
    with connect(server, token) as client:
        with JobProgress(Console(stderr=True, highlight=False)) as progress:
            job = client.wait(client.export(request).id, progress.show)
        require_success(job)
        for name in (job.result or {}).get("files", {}):
            if Path(name).name != name:
                raise BadInput(f"{name!r} is not the name of a file")
            typer.echo(str(client.download_of_job(job, name, to / name)))


def _sentence(error: ValidationError) -> str:
    wrong = error.errors()[0]
    where = ".".join(str(part) for part in wrong["loc"])
    said = wrong["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said

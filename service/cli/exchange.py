"""Commands that import weights of other programs, and export checkpoints for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from service.cli import figures, terminal
from service.cli.exit_codes import BadInput, Failed
from service.cli.options import (
    LOCAL_SERVER,
    AsJson,
    CheckpointId,
    Server,
    Token,
    connect,
    print_json,
)
from service.cli.progress import JobProgress
from service.cli.references import checkpoint_id_of
from service.cli.tables import print_table
from service.cli.watch import require_success
from service.cli.written_files import show_written
from service.client import Client
from service.contract.class_names import InvalidClassNames, read_class_names
from service.contract.exchange import ExportFormat, ExportRequest, ImportRequest
from service.contract.import_files import ImportFile
from service.contract.jobs import Job
from service.contract.sentences import sentence_of

_Request = TypeVar("_Request", ImportRequest, ExportRequest)


def import_(
    file: Annotated[
        str, typer.Argument(help="Path below the import root: a file of torch.save or safetensors.")
    ],
    key: Annotated[
        str | None,
        typer.Option(help="Which weights of the file, such as state_dict_ema, if it has several."),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="Detected from the file by default.")] = None,
    variant: Annotated[str | None, typer.Option(help="Detected from the file by default.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="A tag of the checkpoint; may be repeated.")
    ] = None,
    preprocessing: Annotated[
        str | None, typer.Option(help="The preprocessing that the weights were trained with.")
    ] = None,
    mean_image: Annotated[
        str | None,
        typer.Option(help="Path below the import root; for preprocessing bgr255_minus_mean."),
    ] = None,
    image_size: Annotated[int, typer.Option(help="Side of the square input in pixels.")] = 224,
    class_name: Annotated[
        list[str] | None,
        typer.Option(help="The class of the classifier's next row; repeated for each row."),
    ] = None,
    class_names: Annotated[
        Path | None,
        typer.Option(help="A file on this machine with a class name in each line, or JSON."),
    ] = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Import weights from a file, and print the new checkpoint's id."""
    request = _request(
        ImportRequest,
        file=file,
        key=key,
        recipe=recipe,
        variant=variant,
        tags=tag or (),
        preprocessing=preprocessing,
        mean_image=mean_image,
        image_size=image_size,
        class_names=_class_names(class_name, class_names),
    )
    with connect(server, token) as client:
        with JobProgress(terminal.console(stderr=True)) as progress:
            job = client.wait(client.import_weights(request).id, progress.show)
        require_success(job)
        for note in (job.result or {}).get("notes", ()):
            terminal.echo_error(f"note: {note}")
        checkpoint = client.latest_checkpoint(job=job.id)
    print_json(checkpoint) if as_json else terminal.echo(checkpoint.id)


def imports(as_json: AsJson = False, server: Server = LOCAL_SERVER, token: Token = None) -> None:
    """List the files that the server sees below its import root; a worker may have others."""
    with connect(server, token) as client:
        listing = client.imports()
    if as_json:
        print_json(listing)
        return
    if listing.problem is not None:
        terminal.echo_error(listing.problem)
    print_table(("FILE", "SIZE", "MODIFIED"), map(_row, listing.data))
    if listing.has_more:
        terminal.echo_error(f"these are the newest {len(listing.data)}; there are more")


def export(
    checkpoint_id: CheckpointId,
    format: Annotated[ExportFormat, typer.Option(help="Format of the file.")] = "pth.tar",
    module_prefix: Annotated[
        bool,
        typer.Option("--module-prefix", help="Put 'module.' before each tensor name; for pth.tar."),
    ] = False,
    to: Annotated[Path, typer.Option(help="Target folder.")] = Path(),
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Export a checkpoint as one file for another program, and download it."""
    with connect(server, token) as client:
        checkpoint = checkpoint_id_of(client, checkpoint_id)
        request = _request(
            ExportRequest, checkpoint=checkpoint, format=format, module_prefix=module_prefix
        )
        with JobProgress(terminal.console(stderr=True)) as progress:
            job = client.wait(client.export(request).id, progress.show)
        require_success(job)
        show_written(checkpoint, _downloaded(client, job, to), as_json=as_json)


def _downloaded(client: Client, job: Job, folder: Path) -> Iterator[Path]:
    for name in (job.result or {}).get("files", {}):
        if Path(name).name != name:
            raise Failed(f"{name!r} is not the name of a file")
        yield client.download_of_job(job, name, folder / name)


def _row(file: ImportFile) -> tuple[str, ...]:
    return (file.path, figures.size(file.bytes), figures.moment(file.modified_at))


def _class_names(names: list[str] | None, file: Path | None) -> tuple[str, ...] | None:
    if file is None:
        return tuple(names) if names else None
    if names:
        raise BadInput("give --class-name for each class, or --class-names with a file, not both")
    try:
        return read_class_names(file.read_bytes(), file.name)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}") from error
    except InvalidClassNames as error:
        raise BadInput(str(error)) from error


def _request(kind: type[_Request], **fields: Any) -> _Request:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise BadInput(sentence_of(error)) from error

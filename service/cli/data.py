"""Commands that check and pack images on this machine; a process of the workers' code does it."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from service.cli import figures, terminal
from service.cli.data_process import run_data_process
from service.cli.data_text import report_lines
from service.cli.documents import Pack
from service.cli.options import AsJson, print_json
from service.contract.counts import count_text
from service.contract.data_report import DataReport

DataRoot = Annotated[
    Path | None,
    typer.Option(
        help="The data root that DIR is in: links may lead anywhere below it. By default DIR."
    ),
]
Processes = Annotated[
    int | None, typer.Option(min=1, max=1024, help="By default one for each core.")
]


def check(
    target: Annotated[
        Path, typer.Argument(metavar="DIR|PACK", help="A folder with train and val, or a pack.")
    ],
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Say if the images make no batch of this size.")
    ] = None,
    exif_orientation: Annotated[
        bool, typer.Option("--exif-orientation", help="Turn images as their EXIF data says.")
    ] = False,
    data_root: DataRoot = None,
    processes: Processes = None,
    as_json: AsJson = False,
) -> None:
    """Read every image, and say what would end a job; then the exit status is 1."""
    arguments = ["check", *_options(data_root, processes)]
    arguments += [f"--batch-size={batch_size}"] if batch_size is not None else []
    arguments += ["--exif-orientation"] if exif_orientation else []
    result = run_data_process(
        "trainyard data check", "checked", arguments, target, interrupted="interrupted"
    )
    report = DataReport.model_validate(result)
    if as_json:
        print_json(report)
    else:
        for line in report_lines(report):
            terminal.echo(line)
    if not report.ok:
        raise typer.Exit(1)


def pack(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with train and val.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The pack, such as photos.pack.")],
    format: Annotated[
        Literal["jpeg", "raw", "original"],
        typer.Option(help="JPEG; pixels, larger and faster; or the files as they are."),
    ] = "jpeg",
    short_side: Annotated[
        int, typer.Option(min=32, max=8192, help="The short side of an image is at most this.")
    ] = 320,
    quality: Annotated[int, typer.Option(min=50, max=100, help="Quality of JPEG.")] = 90,
    data_root: DataRoot = None,
    processes: Processes = None,
    as_json: AsJson = False,
) -> None:
    """Pack a folder into one file; after Ctrl-C or a kill the same command goes on."""
    arguments = ["pack", *_options(data_root, processes)]
    arguments += [f"--encoding={format}", f"--short-side={short_side}", f"--quality={quality}"]
    summary = run_data_process(
        "trainyard data pack",
        "packed",
        arguments,
        folder,
        target,
        interrupted="interrupted: the same command goes on with the images that are left",
    )
    made = Pack.model_validate({"path": target, **summary})
    if as_json:
        print_json(made)
        return
    sizes = figures.size(made.original_bytes), figures.size(made.pack_bytes)
    resumed = f", {made.resumed} of them before" if made.resumed else ""
    images = count_text(made.images, "image")
    terminal.echo(f"{target}: {images}{resumed}, {sizes[0]} as {sizes[1]}")


def _options(data_root: Path | None, processes: int | None) -> list[str]:
    options = [f"--data-root={data_root}"] if data_root is not None else []
    return options + ([f"--processes={processes}"] if processes is not None else [])

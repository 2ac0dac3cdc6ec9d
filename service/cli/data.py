"""Commands that check and pack images on this machine; a process of the workers' code does it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli import figures, terminal
from service.cli.data_text import report_lines
from service.cli.extras import require_extras
from service.cli.group import BadInput
from service.cli.options import AsJson, print_json
from service.contract.data_report import DataReport
from service.contract.kernel import die_with_parent

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
    report = DataReport.model_validate(_run("trainyard data check", "checked", arguments, target))
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
) -> None:
    """Pack the images of a folder into one file; the same command goes on after a kill."""
    arguments = ["pack", *_options(data_root, processes)]
    arguments += [f"--encoding={format}", f"--short-side={short_side}", f"--quality={quality}"]
    summary = _run("trainyard data pack", "packed", arguments, folder, target)
    sizes = figures.size(summary["original_bytes"]), figures.size(summary["pack_bytes"])
    resumed = f", {summary['resumed']} of them before" if summary["resumed"] else ""
    terminal.echo(f"{target}: {summary['images']} images{resumed}, {sizes[0]} as {sizes[1]}")


def _options(data_root: Path | None, processes: int | None) -> list[str]:
    options = [f"--data-root={data_root}"] if data_root is not None else []
    return options + ([f"--processes={processes}"] if processes is not None else [])


def _run(command: str, done: str, arguments: list[str], *paths: Path) -> dict[str, Any]:
    """The result of a command of `workers.data`, whose progress is shown on stderr."""
    require_extras(command, "workers")
    process = subprocess.Popen(
        # A path may begin as an option does.
        [sys.executable, "-m", "workers.data", *arguments, "--", *map(str, paths)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGTERM),
    )
    result: dict[str, Any] | None = None
    with process, _bar() as bar:
        task = bar.add_task(done, total=None)
        for message in _messages(process):
            if "error" in message:
                raise BadInput(message["error"])
            if "progress" in message:
                count, total = message["progress"]
                bar.update(task, completed=count, total=total)
            result = message.get("result", result)
    if result is None:
        raise BadInput(f"the process ended with exit status {process.returncode}")
    return result


def _messages(process: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def _bar() -> Progress:
    console = terminal.console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        expand=True,
    )

"""The files that a command writes, as it tells of them."""

from collections.abc import Iterable
from pathlib import Path

from service.cli import terminal
from service.cli.documents import WrittenFile, WrittenFiles
from service.cli.options import print_json


def show_written(source: str, paths: Iterable[Path], *, as_json: bool) -> None:
    """Print each path once its file is there, or one document once all are.

    `source` is the id of the checkpoint or the job that has the files.
    """
    if not as_json:
        for path in paths:
            terminal.echo_path(path)
        return
    files = tuple(WrittenFile(path=path, bytes=path.stat().st_size) for path in paths)
    print_json(WrittenFiles(source=source, files=files))

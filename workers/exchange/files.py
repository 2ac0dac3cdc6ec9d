"""Finds and opens files of weights below the import root."""

import os
from pathlib import Path

from service.contract.paths import LinkLoop, PathOutsideRoot, resolve_path
from workers.checkpoints.upstream import UnreadableWeights
from workers.checkpoints.weight_files import WeightFile, open_weights
from workers.exchange.errors import ImportRefused


def import_path(import_root: Path, file: str) -> Path:
    """The absolute path of `file` below the import root, with links followed.

    Raises ImportRefused for a path outside the root, and for a missing file.
    """
    try:
        path = resolve_path(import_root, file)
    except LinkLoop as error:
        raise ImportRefused("file_missing", str(error)) from error
    except PathOutsideRoot as error:
        raise ImportRefused("file_missing", f"{file} leads out of the import root") from error
    if os.path.isdir(path):
        raise ImportRefused("file_missing", f"{file} is a folder: name a file in it")
    if not os.path.isfile(path):  # False, and no error, for a path that is too long.
        raise ImportRefused("file_missing", f"{file}: there is no such file below the import root")
    return path


def open_import(import_root: Path, file: str, key: str | None) -> WeightFile:
    """The content of `file` below the import root, and the candidates for weights at `key`.

    Raises ImportRefused, MemoryError.
    """
    path = import_path(import_root, file)
    try:
        return open_weights(path, key)
    except UnreadableWeights as error:
        raise ImportRefused(error.code, str(error)) from error

"""Opens files of weights below the import root for an import."""

from pathlib import Path

from workers.checkpoints import import_root as files
from workers.checkpoints.upstream import UnreadableWeights
from workers.checkpoints.weight_files import WeightFile, open_weights
from workers.exchange.errors import ImportRefused


def import_path(import_root: Path, file: str) -> Path:
    """The absolute path of `file` below the import root, as of `files`; raises ImportRefused."""
    try:
        return files.import_path(import_root, file)
    except UnreadableWeights as error:
        raise ImportRefused(error.code, str(error)) from error


def open_import(import_root: Path, file: str, key: str | None) -> WeightFile:
    """The content of `file` below the import root, and the candidates for weights at `key`.

    Raises ImportRefused, MemoryError.
    """
    path = import_path(import_root, file)
    try:
        return open_weights(path, key)
    except UnreadableWeights as error:
        raise ImportRefused(error.code, str(error)) from error

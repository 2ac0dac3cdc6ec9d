"""Finds the files of a request below the import root."""

import os
from pathlib import Path

from service.contract.paths import LinkLoop, PathOutsideRoot, resolve_path
from workers.checkpoints.upstream import UnreadableWeights

_MISSING = "file_missing"


def import_path(import_root: Path, file: str) -> Path:
    """The absolute path of `file` below the import root, with links followed.

    Raises UnreadableWeights for a path outside the root, and for what is no regular file.
    """
    path = optional_import_path(import_root, file)
    if path is not None:
        return path
    if os.path.isdir(import_root / file):
        raise UnreadableWeights(_MISSING, f"{file} is a folder: name a file in it")
    raise UnreadableWeights(_MISSING, f"{file}: there is no such file below the import root")


def optional_import_path(import_root: Path, file: str) -> Path | None:
    """As `import_path`; None where there is no regular file, as for a name that is too long."""
    try:
        path = resolve_path(import_root, file)
    except LinkLoop as error:
        raise UnreadableWeights(_MISSING, str(error)) from error
    except PathOutsideRoot as error:
        raise UnreadableWeights(_MISSING, f"{file} leads out of the import root") from error
    # Path.is_file raises an error for a path that is too long.
    return path if os.path.isfile(path) else None

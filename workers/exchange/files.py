"""Finds and opens files below the import root, and explains why a file cannot be opened."""

import os
from pathlib import Path
from typing import Any

from service.contract.paths import LinkLoop, PathOutsideRoot, resolve_path
from workers.checkpoints.upstream import CodeInPickle, IncompatibleCheckpoint, read_content
from workers.exchange.errors import ImportRefused

_SUFFIXES = (".pth.tar", ".pth", ".pkl", ".safetensors")
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_SHOWN_BYTES = 24


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
    if not os.path.isfile(path):  # False, and no error, for a path that is too long.
        raise ImportRefused("file_missing", f"{file}: there is no such file below the import root")
    return path


def open_weights(path: Path) -> Any:
    """The content of a file of weights; runs no code of the file, and raises ImportRefused.

    The tensors of zipped and of safetensors files are memory-mapped: the file must not change while
    they are in use.
    """
    if not path.name.endswith(_SUFFIXES):
        raise ImportRefused("not_weights", f"{path.name} is not named {', '.join(_SUFFIXES)}")
    try:
        return read_content(path)
    except CodeInPickle as error:
        raise ImportRefused("pickle_with_code", str(error)) from error
    except IncompatibleCheckpoint as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: IncompatibleCheckpoint) -> ImportRefused:
    with path.open("rb") as file:
        first_bytes = file.read(_SHOWN_BYTES)
    size = path.stat().st_size
    if size == 0:
        return ImportRefused("file_truncated", f"{path.name} is empty")
    if _begins_as_weights(path, first_bytes):
        return ImportRefused(
            "file_truncated",
            f"{path.name} is cut off: it begins like a file of weights and ends too early, "
            f"after {size} bytes; copy it again ({error})",
        )
    return ImportRefused(
        "not_weights", f"{path.name} is not a file of weights: it begins with {first_bytes!r}"
    )


def _begins_as_weights(path: Path, first_bytes: bytes) -> bool:
    if path.suffix == ".safetensors":
        return len(first_bytes) < 9 or first_bytes[8:9] == b"{"
    return first_bytes.startswith((_ZIP, _PICKLE))

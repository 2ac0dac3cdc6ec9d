"""Files below the import root: found, opened, and told apart when they do not open."""

from pathlib import Path
from typing import Any

from service.contract.paths import PathOutsideRoot, resolve_path
from workers.checkpoints.upstream import CodeInPickle, IncompatibleCheckpoint, read_content
from workers.exchange.errors import ImportRefused

_SUFFIXES = (".pth.tar", ".pth", ".pkl", ".safetensors")
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_SHOWN_BYTES = 24


def import_path(import_root: Path, file: str) -> Path:
    """The file that `file` names below the root, links followed; raises ImportRefused."""
    try:
        path = resolve_path(import_root, file)
    except PathOutsideRoot as error:
        raise ImportRefused("file_missing", f"{file} leads out of the import root") from error
    if not path.is_file():
        raise ImportRefused("file_missing", f"{file}: there is no such file below the import root")
    return path


def opened(path: Path) -> Any:
    """What a file of weights holds, without running code of it; raises ImportRefused.

    The tensors of zipped and of safetensors files are mapped: keep the file as it is meanwhile.
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
        beginning = file.read(_SHOWN_BYTES)
    size = path.stat().st_size
    if size == 0:
        return ImportRefused("file_truncated", f"{path.name} is empty")
    if _begins_as_weights(path, beginning):
        return ImportRefused(
            "file_truncated",
            f"{path.name} is cut off: it begins as weights do and ends too early, after {size} "
            f"bytes; copy it again ({error})",
        )
    return ImportRefused(
        "not_weights", f"{path.name} is no file of weights: it begins with {beginning!r}"
    )


def _begins_as_weights(path: Path, beginning: bytes) -> bool:
    if path.suffix == ".safetensors":
        return len(beginning) < 9 or beginning[8:9] == b"{"
    return beginning.startswith((_ZIP, _PICKLE))

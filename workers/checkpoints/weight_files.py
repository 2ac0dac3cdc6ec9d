"""Opens files of weights that other programs wrote, by what they are and not by their names."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.torch
from safetensors import SafetensorError

from workers.checkpoints.pickles import torch_lines, two_lines, unpickle
from workers.checkpoints.rehearsal import read_limits, rehearse
from workers.checkpoints.state_dicts import StateDict, state_dicts_in
from workers.checkpoints.upstream import UnreadableWeights, shown

_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_HEAD_BYTES, _SHOWN_BYTES, _SHOWN_NAMES = 512, 24, 5
_LONGEST_HEADER_BYTES = 100_000_000
_TAR_MAGIC = slice(257, 262)
_WEIGHTS = (".pth", ".pt", ".pth.tar", ".tar", ".ckpt", ".bin", ".pkl", ".mdl", ".safetensors")
_OTHER_FILES = (
    (b"version https://git-lfs", "a pointer of Git LFS: `git lfs pull` fetches the file"),
    (b"<!doctype html", "a web page: the download has failed"),
    (b"<html", "a web page: the download has failed"),
    (b"\x1f\x8b", "compressed with gzip: unpack it"),
    (b"BZh", "compressed with bzip2: unpack it"),
    (b"\xfd7zXZ", "compressed with xz: unpack it"),
    (b"(\xb5/\xfd", "compressed with zstd: unpack it"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"\x89HDF", "an HDF5 file, as Keras writes it"),
    (b"\x93NUMPY", "an array of NumPy"),
)


class WeightFile(NamedTuple):
    """The unchanged content of a file on the CPU, and the candidates for weights in it."""

    path: Path
    content: Any
    candidates: Sequence[StateDict]


def open_weights(path: Path, key: str | None = None) -> WeightFile:
    """Read a file of torch.save or of safetensors; with `key`, the candidates are only those there.

    Tensors are memory-mapped where the format allows it: the file must not change while they are
    in use. Runs no code of the file, and takes a bounded time and memory. Raises
    UnreadableWeights, MemoryError.
    """
    if not path.is_file():
        raise UnreadableWeights("file_missing", f"{path.name}: there is no such file")
    try:
        is_pickle = _require_weights(path)
    except PermissionError as error:
        raise UnreadableWeights(
            "file_missing",
            f"{path.name} cannot be read: not permitted to the user of this worker; change its "
            "permissions",
        ) from error
    limits = read_limits(path.stat().st_size)
    rehearse(lambda: _open(path, is_pickle, key), path.name, limits)
    return _open(path, is_pickle, key)


def _open(path: Path, is_pickle: bool, key: str | None) -> WeightFile:
    content = _read(path, is_pickle)
    return WeightFile(path, content, state_dicts_in(path.name, content, key))


def _read(path: Path, is_pickle: bool) -> Any:
    if is_pickle:
        return unpickle(path, zipped=_head(path).startswith(_ZIP))
    try:
        return safetensors.torch.load_file(path)
    except SafetensorError as error:
        raise UnreadableWeights(
            "file_truncated",
            f"{path.name} is cut off, or not a safetensors file: it ends after "
            f"{path.stat().st_size} bytes ({shown(str(error))})",
        ) from error


def _require_weights(path: Path) -> bool:
    """Whether torch.save wrote the file, else safetensors did; raises UnreadableWeights."""
    head = _head(path)
    if not head:
        raise UnreadableWeights("file_truncated", f"{path.name} is empty")
    if _begins_as_safetensors(path, head):
        return False
    is_pickle = head.startswith((_ZIP, _PICKLE))
    if is_pickle and path.suffix == ".safetensors":
        message = f"{path.name} is not a safetensors file, but one of torch.save: name it .pth"
        raise UnreadableWeights("not_weights", message)
    if head.startswith(_ZIP) or _ZIP.startswith(head):
        _require_parts(path)
        return True
    if not is_pickle:
        message = f"{path.name} is not a file of weights: {_other_file(head)}"
        raise UnreadableWeights("not_weights", message)
    return is_pickle


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _begins_as_safetensors(path: Path, head: bytes) -> bool:
    if path.suffix == ".safetensors" and len(head) < 9:
        return True
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < _LONGEST_HEADER_BYTES


def _other_file(head: bytes) -> str:
    kind = next((is_ for start, is_ in _OTHER_FILES if head.lower().startswith(start.lower())), "")
    if head[_TAR_MAGIC] == b"ustar":
        kind = "a tar archive: unpack it"
    return f"it begins with {head[:_SHOWN_BYTES]!r}" + (f" and is {kind}" if kind else "")


def _require_parts(path: Path) -> None:
    """Raise UnreadableWeights unless a zip archive has the parts that torch.save writes."""
    if not zipfile.is_zipfile(path):
        raise UnreadableWeights(
            "file_truncated",
            f"{path.name} is cut off: it begins like a file of weights and ends too early, "
            f"after {path.stat().st_size} bytes; copy it again",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    # For a damaged directory zipfile raises whatever exception its parser meets.
    except Exception as error:
        message = f"{path.name} is damaged: its directory cannot be read; copy it again"
        raise UnreadableWeights("file_truncated", message) from error
    problem = _foreign_archive(path, entries)
    if problem is not None:
        raise UnreadableWeights("not_weights", f"{path.name} is {problem}")


def _foreign_archive(path: Path, entries: list[zipfile.ZipInfo]) -> str | None:
    names = [entry.filename for entry in entries]
    parts = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in parts:
        load = f"c = torch.jit.load({path.name!r}, map_location='cpu')"
        return f"a program of TorchScript; {two_lines(path, load, 'c.state_dict()')}"
    if "archive_format" in parts:
        load = f"c = torch.export.load({path.name!r})"
        return f"a program of torch.export; {two_lines(path, load, 'c.state_dict')}"
    if "data.pkl" in parts:
        if all(entry.compress_type == zipfile.ZIP_STORED for entry in entries):
            return None
        return f"packed again with compression; {torch_lines(path, 'c')}"
    inside = [name for name in names if name.endswith(_WEIGHTS) and "__MACOSX" not in name]
    if inside:
        return f"a zip archive that holds {shown(inside[0])}: unpack it, and import that file"
    listed = ", ".join(shown(name) for name in names[:_SHOWN_NAMES]) or "nothing"
    return f"a zip archive that is no file of weights: it holds {listed}"

"""The class names that a file of weights holds itself, and those in a file beside it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from service.contract.class_names import (
    InvalidClassNames,
    names_in,
    read_class_names,
    require_class_names,
)
from workers.checkpoints.import_root import import_path, optional_import_path
from workers.checkpoints.upstream import IncompatibleCheckpoint

CLASS_NAMES = "class_names"
"""The key of the names in the files that are exported."""

_KEYS = (CLASS_NAMES, "classes", "class_to_idx")
_SIDECARS = (".classes.txt", ".classes.json")
_LONGEST_BYTES = 1 << 26


class NamedRows(NamedTuple):
    """The class names of a classifier's rows, and where they are from; () where nobody says."""

    names: tuple[str, ...]
    origin: str


def class_names_of(import_root: Path, file: str, content: Any) -> NamedRows:
    """The names in `<file>.classes.txt` or `<file>.classes.json`, else those in the file itself.

    `file` is a path below `import_root`, and `content` what was read from it. Raises
    IncompatibleCheckpoint for a file of names that cannot be used.
    """
    for suffix in _SIDECARS:
        beside = f"{file}{suffix}"
        path = optional_import_path(import_root, beside)
        if path is not None:
            return NamedRows(_read(path, beside), beside)
    return NamedRows(_names_within(import_path(import_root, file), content), file)


def _read(path: Path, file: str) -> tuple[str, ...]:
    size = path.stat().st_size
    if size > _LONGEST_BYTES:
        raise IncompatibleCheckpoint(f"{file} has {size} bytes: it is no file of class names")
    try:
        return read_class_names(path.read_bytes(), file)
    except InvalidClassNames as error:
        raise IncompatibleCheckpoint(str(error)) from error
    except OSError as error:
        raise IncompatibleCheckpoint(f"{file} cannot be read: {error.strerror}") from error


def _names_within(path: Path, content: Any) -> tuple[str, ...]:
    # Other programs have other things under these keys: what cannot be names is left alone.
    for value in _values(path, content):
        names = names_in(value)
        if names is None:
            continue
        try:
            require_class_names(names)
        except InvalidClassNames:
            continue
        return names
    return ()


def _values(path: Path, content: Any) -> list[Any]:
    if path.suffix == ".safetensors":
        return [_in_metadata(path)]
    values = [content.get(key) for key in _KEYS] if isinstance(content, Mapping) else []
    # The originals load some files with every key as a weight: there it is an attribute.
    return [*values, getattr(content, CLASS_NAMES, None)]


def _in_metadata(path: Path) -> Any:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        return json.loads(metadata.get(CLASS_NAMES, "null"))
    except (SafetensorError, ValueError):
        return None

"""Paths below a root folder: checked as text by the server, resolved where the root is known."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from service.contract.json_types import BELOW_ROOT
from service.contract.text import NAME_LENGTH, PATH_LENGTH, StorableText, storable_text

_DATA_ROOT = "worker's data root"


class PathOutsideRoot(ValueError):
    """A path leads out of its root folder, for example through a symbolic link."""


class LinkLoop(PathOutsideRoot):
    """A path has a symbolic link that leads back to itself, and so leads nowhere."""


def data_path_problem(path: str) -> str | None:
    """Why a text cannot be a path below a worker's data root, links aside; None if it can."""
    return _problem(path, _DATA_ROOT)


def _problem(path: str, root_name: str) -> str | None:
    names = path.split("/")
    if path.startswith("/") or ".." in names:
        return f"{path!r} must be a path below the {root_name}"
    sizes = [len(name.encode("utf-8", "surrogatepass")) for name in names]
    if max(sizes) > NAME_LENGTH:
        return f"a name in a path has at most {NAME_LENGTH} bytes"
    if sum(sizes) + len(sizes) > PATH_LENGTH:
        return f"a path has at most {PATH_LENGTH - 1} bytes"
    return None


def _below(root_name: str) -> AfterValidator:
    def check(path: str) -> str:
        problem = _problem(path, root_name)
        if problem is not None:
            raise ValueError(problem)
        return path

    return AfterValidator(check)


def _check_utf8(path: Path) -> Path:
    text = storable_text(str(path))
    if str(path) != text:
        raise ValueError(f"the name of this folder is not UTF-8: {text}; rename it")
    return path


RootFolder = Annotated[Path, AfterValidator(_check_utf8)]
"""A folder of a setting; it is written into JSON, which is UTF-8."""

DataPath = Annotated[StorableText, _below(_DATA_ROOT)]
ImportPath = Annotated[StorableText, _below("import root")]
SubmittedDataPath = Annotated[DataPath, BELOW_ROOT]
SubmittedImportPath = Annotated[ImportPath, BELOW_ROOT]
"""Paths with their rule in the schema; a recipe's schema has no look-ahead, and so not these."""


def resolve_path(root: Path, relative: str) -> Path:
    """The absolute path of `relative` below `root`, with symbolic links followed.

    The path need not exist. Raises PathOutsideRoot if it is not below `root`, LinkLoop.
    """
    resolved_root = root.resolve()
    try:
        path = (resolved_root / relative).resolve()
    except RuntimeError as error:
        raise LinkLoop(f"{relative!r} has a link that leads back to itself") from error
    if not path.is_relative_to(resolved_root):
        raise PathOutsideRoot(f"{relative!r} leads out of {root}")
    return path

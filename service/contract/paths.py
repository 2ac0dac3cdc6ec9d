"""Paths below a root folder: checked as text by the server, resolved where the root is known."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from service.contract.text import Text


class PathOutsideRoot(ValueError):
    """A path leads out of its root folder, for example through a symbolic link."""


def is_below_root(path: str) -> bool:
    """Whether a text names a path below the root that it is relative to, links aside."""
    return not path.startswith("/") and ".." not in path.split("/")


def _relative_to(root_name: str) -> AfterValidator:
    def check(path: str) -> str:
        if not is_below_root(path):
            raise ValueError(f"{path!r} must be a path below the {root_name}")
        return path

    return AfterValidator(check)


DataPath = Annotated[Text, _relative_to("worker's data root")]
ImportPath = Annotated[Text, _relative_to("import root")]


def resolve_path(root: Path, relative: str) -> Path:
    """The absolute path of `relative` below `root`, with symbolic links followed.

    The path need not exist. Raises PathOutsideRoot if it is not below `root`.
    """
    resolved_root = root.resolve()
    path = (resolved_root / relative).resolve()
    if not path.is_relative_to(resolved_root):
        raise PathOutsideRoot(f"{relative!r} leads out of {root}")
    return path

"""Paths relative to a root that only another process knows: checked as text, resolved there."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from service.contract.fields import Text


class PathOutsideRoot(ValueError):
    """A path that leads out of its root, by a link or otherwise."""


def _relative_to(root_name: str) -> AfterValidator:
    def check(path: str) -> str:
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"{path!r} must be a path below the {root_name}")
        return path

    return AfterValidator(check)


DataPath = Annotated[Text, _relative_to("worker's data root")]
ImportPath = Annotated[Text, _relative_to("import root")]


def resolve_path(root: Path, relative: str) -> Path:
    """The absolute path of `relative` below `root`, with links followed; it need not exist.

    Raises PathOutsideRoot if it is not below `root`.
    """
    resolved_root = root.resolve()
    path = (resolved_root / relative).resolve()
    if not path.is_relative_to(resolved_root):
        raise PathOutsideRoot(f"{relative!r} leads out of {root}")
    return path

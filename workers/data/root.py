"""The folder of this machine below which all data is."""

import os
from pathlib import Path

from workers.data.errors import InvalidData, NoDataRoot


def below(data_root: Path, relative: str) -> Path:
    """Where a job's data is; raises NoDataRoot, and InvalidData for a path that leads out."""
    check(data_root)
    root = data_root.resolve()
    path = (root / relative).resolve()
    if not path.is_relative_to(root):
        raise InvalidData(f"{relative} leads out of the data root")
    return path


def check(data_root: Path) -> None:
    """Raises NoDataRoot if the folder is not there or cannot be read."""
    try:
        os.scandir(data_root).close()
    except OSError as error:
        raise NoDataRoot(
            f"this worker cannot read its data root {data_root} ({error.strerror}): mount it, "
            "or start the worker with another --data-root"
        ) from error


def check_still(data_root: Path) -> None:
    """The same once something was read from it: a mount that goes away may leave its folder."""
    check(data_root)
    if not any(data_root.iterdir()):
        raise NoDataRoot(f"this worker's data root {data_root} is empty now: mount it again")

"""The data root: the folder of this machine that contains all data sets."""

import os
from pathlib import Path

from service.contract.paths import LinkLoop, PathOutsideRoot, resolve_path
from workers.data.errors import InvalidData, NoDataRoot


def data_path(data_root: Path, relative: str) -> Path:
    """The path of a job's data below the data root.

    Raises NoDataRoot, also for an empty root, and InvalidData for a path that leads out of it.
    """
    check(data_root)
    try:
        path = resolve_path(data_root, relative)
    except LinkLoop as error:
        raise InvalidData(f"{relative} has a link that leads back to itself: remove it") from error
    except PathOutsideRoot as error:
        raise InvalidData(f"{relative} leads out of the data root") from error
    if not os.path.exists(path):
        # In a mount point without its file system everything is missing, for this worker alone.
        check_still(data_root)
    return path


def check(data_root: Path) -> None:
    """Raise NoDataRoot if the data root does not exist or cannot be read."""
    try:
        os.scandir(data_root).close()
    except OSError as error:
        raise NoDataRoot(
            f"this worker cannot read its data root {data_root} ({error.strerror}): mount it, "
            "or start the worker with another --data-root"
        ) from error


def check_still(data_root: Path) -> None:
    """Raise NoDataRoot if a data root that had contents cannot be read or is empty.

    A file system that was unmounted leaves its mount point as an empty folder.
    """
    check(data_root)
    if not any(data_root.iterdir()):
        raise NoDataRoot(f"this worker's data root {data_root} is empty now: mount it again")

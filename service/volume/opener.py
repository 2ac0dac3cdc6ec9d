"""Opens files and folders below a root without following a symbolic link below it.

Each part of a path is opened in the folder before it (openat(2) with O_NOFOLLOW), so that no link,
even one that is put there meanwhile, leads out of the root. The root itself may be a link.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe waits for its writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class UnsafePath(OSError):
    """A path below a root that is not opened: it leads through a link, or to no regular file."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(errno.ELOOP, problem, path)


@contextmanager
def open_folder(root: Path, relative: str = "") -> Iterator[int]:
    """Yield the descriptor of a folder at or below `root`; raises UnsafePath, OSError."""
    folder = os.open(root, _FOLDER)
    try:
        for name in _parts(relative):
            inner = _open(folder, name, _FOLDER | os.O_NOFOLLOW)
            os.close(folder)
            folder = inner
        yield folder
    finally:
        os.close(folder)


def open_below(root: Path, relative: str) -> BufferedReader:
    """Open a regular file below `root` for reading; raises UnsafePath, OSError."""
    *folders, name = _parts(relative) or ("",)
    with open_folder(root, "/".join(folders)) as folder:
        return open_in(folder, name)


def open_in(folder: int, name: str) -> BufferedReader:
    """Open a regular file of an open folder for reading; raises UnsafePath, OSError."""
    handle = _open(folder, name, _FILE)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsafePath(name, "it is not a regular file")
    return os.fdopen(handle, "rb")


def make_folders(root: Path, relative: str) -> None:
    """Make the folders of a path below `root` that are missing; raises UnsafePath, OSError.

    The root must exist: a missing one is a file system that is not mounted.
    """
    made: list[str] = []
    for name in _parts(relative):
        with open_folder(root, "/".join(made)) as folder, suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        made.append(name)
    with open_folder(root, relative):
        pass


def _parts(relative: str) -> tuple[str, ...]:
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts:
        raise UnsafePath(relative, "it leads out of its root")
    return path.parts


def _open(folder: int, name: str, flags: int) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        # A link is ELOOP or, where a folder is expected, ENOTDIR; a socket is ENXIO.
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise UnsafePath(name, "it is a symbolic link") from error
        if error.errno == errno.ENXIO:
            raise UnsafePath(name, "it is not a regular file") from error
        raise

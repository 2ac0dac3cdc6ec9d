"""The file operations that a commit is made of; each is a point at which a machine can die."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from service.contract.checkpoints import FileDigest


class Disk:
    """Writes that are durable when they return; the seam at which tests cut the power."""

    def make_folder(self, folder: Path) -> None:
        """Make one folder; raise FileExistsError if it is there."""
        folder.mkdir()

    def write(self, path: Path, chunks: Iterable[bytes | memoryview]) -> FileDigest:
        """Write a new file, fsync it, and give its size and the sha256 taken on the way."""
        sha256 = hashlib.sha256()
        size = 0
        with path.open("xb", buffering=0) as file:
            for chunk in chunks:
                sha256.update(chunk)
                size += len(chunk)
                _write_whole(file.fileno(), chunk)
            os.fsync(file.fileno())
        return FileDigest(bytes=size, sha256=sha256.hexdigest())

    def sync(self, folder: Path) -> None:
        """Make the entries of a folder durable."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, source: Path, target: Path) -> None:
        """Rename a folder; a non-empty target is never replaced (OSError)."""
        source.rename(target)

    def unlink(self, path: Path) -> None:
        """Remove a file or a link."""
        path.unlink()

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder."""
        folder.rmdir()


DISK = Disk()


def remove_tree(folder: Path, disk: Disk) -> None:
    """Remove a folder and what is in it, following no link."""
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            disk.unlink(Path(parent, name))
        for name in folders:
            path = Path(parent, name)
            if path.is_symlink():
                disk.unlink(path)
            else:
                disk.remove_folder(path)
    disk.remove_folder(folder)


def _write_whole(handle: int, chunk: bytes | memoryview) -> None:
    # write(2) may take less than it was given: above 2 GiB, or on a disk that is filling up.
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]

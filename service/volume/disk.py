"""The file operations that publish and remove checkpoints, each durable when it returns."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from service.contract.checkpoints import FileDigest
from service.contract.kernel import sync_folder


class Disk:
    """Durable file operations; tests replace this class to simulate crashes and full disks."""

    def make_folder(self, folder: Path) -> None:
        """Make one folder; raises FileExistsError if it exists."""
        folder.mkdir()

    def write(self, path: Path, chunks: Iterable[bytes | memoryview]) -> FileDigest:
        """Write a new file, fsync it, and return its size in bytes and its sha256.

        Raises FileExistsError if the file exists, and OSError.
        """
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
        """Make the entries of a folder durable, as fsync(2) does."""
        sync_folder(folder)

    def rename(self, source: Path, target: Path) -> None:
        """Rename a folder; raises OSError if `target` is a folder that is not empty."""
        source.rename(target)

    def unlink(self, path: Path) -> None:
        """Remove a file or a symbolic link."""
        path.unlink()

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder."""
        folder.rmdir()


DISK = Disk()


def remove_tree(folder: Path, disk: Disk) -> None:
    """Remove a folder with everything in it, without following symbolic links."""
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
    # write(2) may write a part only: above 2 GiB, or when the disk becomes full.
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(handle, rest) :]

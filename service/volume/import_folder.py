"""Lists the files below the import root, and follows no link that leads out of it."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from service.contract.import_files import MOST_IMPORT_FILES, ImportFile, ImportFiles
from service.contract.paths import ImportPath, PathOutsideRoot, resolve_path
from service.volume.opener import open_below, open_folder

MOST_ENTRIES = 5000
"""How many names are read at most: a folder of a network may take a millisecond for each."""

_PATH: TypeAdapter[str] = TypeAdapter(ImportPath)


def import_files(root: Path) -> ImportFiles:
    """The regular files below `root`, the newest first, with their sizes in bytes.

    A link to a file below `root` is a file, too. Other links, what is no regular file, names that
    begin with a dot and names that no request can have are left out.
    """
    walk = _Walk(root)
    try:
        found = list(walk.files())
    except OSError as error:
        return ImportFiles(problem=f"the import folder cannot be read: {error.strerror}")
    found.sort(key=lambda file: (-(file.modified_at or _NEVER).timestamp(), file.path))
    return ImportFiles(
        data=tuple(found[:MOST_IMPORT_FILES]),
        has_more=walk.is_cut or len(found) > MOST_IMPORT_FILES,
    )


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class _Walk:
    """The entries of a folder and of the folders in it, up to `MOST_ENTRIES`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._left = MOST_ENTRIES
        self.is_cut = False

    def files(self) -> Iterator[ImportFile]:
        """Each file; raises OSError if the root cannot be read."""
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                files, inner = self._read(folder)
            except OSError:
                if not folder:
                    raise
                # It is gone since, or not for this server to read.
                continue
            yield from files
            folders += inner

    def _read(self, folder: str) -> tuple[list[ImportFile], list[str]]:
        files: list[ImportFile] = []
        folders: list[str] = []
        with open_folder(self._root, folder) as handle, os.scandir(handle) as entries:
            for entry in islice(entries, self._left + 1):
                if self._left == 0:
                    self.is_cut = True
                    break
                self._left -= 1
                path = f"{folder}/{entry.name}".lstrip("/")
                if entry.name.startswith(".") or not _can_be_named(path):
                    continue
                # A file that is gone since is not listed.
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(path)
                    elif (status := self._status_of(entry, path)) is not None:
                        files.append(_file(path, status))
        return files, folders

    def _status_of(self, entry: "os.DirEntry[str]", path: str) -> os.stat_result | None:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            try:
                target = resolve_path(self._root, path).relative_to(self._root.resolve())
            except PathOutsideRoot:
                return None
            with open_below(self._root, str(target)) as file:
                status = os.fstat(file.fileno())
        return status if stat.S_ISREG(status.st_mode) else None


def _can_be_named(path: str) -> bool:
    try:
        _PATH.validate_python(path)
    except ValidationError:
        return False
    return True


def _file(path: str, status: os.stat_result) -> ImportFile:
    try:
        modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        # A time beyond the calendar, as a broken clock gives it.
        modified_at = None
    return ImportFile(path=path, bytes=status.st_size, modified_at=modified_at)

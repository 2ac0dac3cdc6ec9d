"""The record of a pack that is not whole yet, from which a killed packing goes on."""

import hashlib
import json
import os
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.data.packs.encoding import Original
from workers.data.packs.index import RECORD

_ENTRY = np.dtype([("record", RECORD), ("mtime_ns", "<i8")])


class Journal:
    """The entries of the images whose stored bytes are on disk, in their order.

    It begins with the digest of what is packed and how; a journal of something else is not read.
    """

    def __init__(self, path: Path, subject: dict[str, object]) -> None:
        text = json.dumps(subject, sort_keys=True, allow_nan=False).encode()
        self._path, self._head = path, hashlib.sha256(text).digest()
        self._file: FileIO | None = None

    def read(self) -> NDArray[np.void] | None:
        """The entries so far, fields `record` and `mtime_ns`; None if it is of something else."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return np.zeros(0, _ENTRY)
        if not content:
            return np.zeros(0, _ENTRY)
        if not content.startswith(self._head):
            return None
        count = (len(content) - len(self._head)) // _ENTRY.itemsize
        return np.frombuffer(content, _ENTRY, count, len(self._head)).copy()

    def open(self, entries: NDArray[np.void]) -> None:
        """Begin to write behind these entries, which are the first of those that were read."""
        self._file = FileIO(self._path, "r+b" if self._path.exists() else "w+b")
        self._put(0, self._head)
        self._file.truncate(len(self._head) + entries.nbytes)

    def put(self, first: int, entries: NDArray[np.void]) -> None:
        """Set the entries from number `first` on, of images on disk; on disk when it returns.

        A call that a signal has interrupted may be repeated.
        """
        assert self._file is not None, "the journal is open"
        self._put(len(self._head) + first * _ENTRY.itemsize, entries.tobytes())
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def remove(self) -> None:
        """Remove the file, if there is one."""
        self._path.unlink(missing_ok=True)

    def _put(self, offset: int, content: bytes) -> None:
        assert self._file is not None, "the journal is open"
        while content:
            written = os.pwrite(self._file.fileno(), content, offset)
            content, offset = content[written:], offset + written


def entry_of(record: NDArray[np.void], original: Original) -> NDArray[np.void]:
    """The entry of one image."""
    entry = np.zeros(1, _ENTRY)
    entry["record"] = record
    entry["record"]["original_bytes"] = original.size
    entry["mtime_ns"] = original.mtime_ns
    return entry


def original_of(entry: np.void) -> Original:
    """The file that an entry's image was made of."""
    return Original(int(entry["record"]["original_bytes"]), int(entry["mtime_ns"]))

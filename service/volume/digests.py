"""The digests of files on the volume, so that no bytes are sent under the name of others."""

import hashlib
import os
import threading
import time
from collections import OrderedDict
from io import BufferedReader

from service.contract.checkpoints import FileDigest

_MOST_FILES = 4096
_SETTLED_NANOSECONDS = 2_000_000_000
_Identity = tuple[int, int, int, int, int]


class FileDigests:
    """The digest of each file that was read, remembered until the file changes.

    A file is known again by its device, inode, size, and times of modification and change. One
    that changed a moment ago is not remembered: a later change could have the same times.
    """

    def __init__(self) -> None:
        self._sha256: OrderedDict[_Identity, str] = OrderedDict()
        self._lock = threading.Lock()

    def is_of(self, file: BufferedReader, digest: FileDigest) -> bool:
        """Whether an open file has these bytes; reads all of it the first time; raises OSError."""
        before = _identity(file)
        if os.fstat(file.fileno()).st_size != digest.bytes:
            return False
        with self._lock:
            sha256 = self._sha256.get(before)
            if sha256 is not None:
                self._sha256.move_to_end(before)
        if sha256 is None:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if _identity(file) == before and _is_settled(file):
                self._remember(before, sha256)
        return sha256 == digest.sha256

    def _remember(self, identity: _Identity, sha256: str) -> None:
        with self._lock:
            self._sha256[identity] = sha256
            while len(self._sha256) > _MOST_FILES:
                self._sha256.popitem(last=False)


def _identity(file: BufferedReader) -> _Identity:
    status = os.fstat(file.fileno())
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _is_settled(file: BufferedReader) -> bool:
    changed_at = os.fstat(file.fileno()).st_ctime_ns
    return abs(time.time_ns() - changed_at) > _SETTLED_NANOSECONDS

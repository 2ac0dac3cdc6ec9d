"""Packs the folders of a data set into one file, which is there whole or not at all."""

import fcntl
import hashlib
import os
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.contract.kernel import sync_folder
from workers.data.errors import DataError, InvalidData
from workers.data.packs.encoding import Original, Storage, stored_image
from workers.data.packs.header import HEADER_BYTES, PackHeader
from workers.data.packs.index import ALIGNMENT, RECORD, PackInfo, index_bytes
from workers.data.packs.journal import Journal, entry_of, original_of
from workers.data.packs.originals import Originals
from workers.data.processes import in_processes

_SYNC_BYTES = 64 << 20
_SYNC_IMAGES = 10_000

Progress = Callable[[int, int], None]
"""Called with the number of images that are done, and of all."""

_Stored = tuple[bytes, bytes, Original] | DataError


@dataclass(frozen=True)
class PackSummary:
    """What was written: images, the bytes of their files, and the bytes of the pack.

    The first `resumed` images were packed before this run.
    """

    images: int
    original_bytes: int
    pack_bytes: int
    resumed: int


class PackBuilder:
    """Writes `<target>.partial`, and renames it when it is whole.

    The images of a data set are stored in the order of their folders, whatever the number of
    processes, so that the same images make the same pack. A run that ended early is continued by
    the next one from the last images that were on disk.
    """

    def __init__(self, originals: Originals, storage: Storage, target: Path) -> None:
        self._originals, self._storage, self._target = originals, storage, target
        self._partial = target.with_name(f"{target.name}.partial")
        subject: dict[str, object] = {"storage": vars(storage), "images": originals.digest()}
        self._journal = Journal(target.with_name(f"{target.name}.partial.journal"), subject)

    def build(self, processes: int, progress: Progress) -> PackSummary:
        """Pack every image; raises InvalidData, NoDataRoot, and OSError where it cannot write."""
        if self._target.exists():
            raise InvalidData(f"{self._target} exists: remove it, or name another file")
        with open(self._partial, "a+b") as file, closing(self._journal):
            _lock(file.fileno(), self._partial)
            entries = self._entries_before()
            images = _ImageWriter(file.fileno(), self._journal, entries)
            self._add_all(images, processes, progress)
            self._originals.check_unchanged(map(original_of, images.entries))
            pack_bytes = self._finish(file.fileno(), images.entries["record"])
        original_bytes = self._originals.total_bytes()
        return PackSummary(images.count, original_bytes, pack_bytes, len(entries))

    def _add_all(self, images: "_ImageWriter", processes: int, progress: Progress) -> None:
        count = len(self._originals)
        progress(images.count, count)
        try:
            for stored in in_processes(self._stored, range(images.count, count), processes):
                if isinstance(stored, DataError):
                    raise stored
                images.add(*stored)
                progress(images.count, count)
        finally:
            # Also of a run that Ctrl-C ends: the next one goes on from here.
            images.sync()

    def _entries_before(self) -> NDArray[np.void]:
        size = self._partial.stat().st_size
        if not size:
            # The journal of a file that was removed, to begin again.
            self._journal.remove()
        entries = self._journal.read()
        if entries is None:
            raise InvalidData(
                f"{self._partial} was begun with other images or options: give it those, or "
                "remove it to begin again"
            )
        ends = entries["record"]["offset"] + entries["record"]["stored_bytes"]
        # Files of different ages, as after a copy: what is not there is packed again.
        entries = entries[: int(np.searchsorted(ends, size, side="right"))]
        try:
            self._originals.check_unchanged(map(original_of, entries))
        except InvalidData as error:
            raise InvalidData(f"{error}, and remove {self._partial} to begin again") from error
        return entries

    def _stored(self, number: int) -> _Stored:
        path, name = self._originals.file_of(number)
        try:
            image = stored_image(path, name, self._originals.data_root, self._storage)
        except DataError as error:
            return error
        content, record = image.content, np.zeros(1, RECORD)
        record["stored_bytes"], record["crc32"] = len(content), zlib.crc32(content)
        record["label"], record["tiled"] = self._originals.label_of(number), image.is_tiled
        record["sha256"] = np.void(hashlib.sha256(content).digest())
        return content, record.tobytes(), image.original

    def _finish(self, fd: int, records: NDArray[np.void]) -> int:
        storage = self._storage
        is_kept = storage.encoding == "original"
        info = PackInfo(
            encoding=storage.encoding,
            short_side=None if is_kept else storage.short_side,
            quality=storage.quality if storage.encoding == "jpeg" else None,
            splits=self._originals.splits,
        )
        index = index_bytes(info, records.copy(), self._originals.paths())
        size = os.fstat(fd).st_size
        offset = -(-size // ALIGNMENT) * ALIGNMENT
        _write(fd, b"\0" * (offset - size) + index)
        header = PackHeader(offset + len(index), offset, hashlib.sha256(index).digest())
        os.fsync(fd)
        # Last: a file without it is no pack.
        with open(self._partial, "r+b") as file:
            file.write(header.as_bytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._partial, self._target)
        try:
            sync_folder(self._target.absolute().parent)
        finally:
            # Also where Ctrl-C comes now: the pack is whole.
            self._journal.remove()
        return header.pack_bytes


class _ImageWriter:
    """Appends images to the file; the journal has those that are on disk."""

    def __init__(self, fd: int, journal: Journal, entries: NDArray[np.void]) -> None:
        self._fd, self._journal = fd, journal
        self._entries = [entries]
        # The number of the first entry that is not in the journal, and all of those: one field,
        # so that no signal finds one of the two changed.
        self._pending: tuple[int, list[NDArray[np.void]]] = (len(entries), [])
        self._pending_bytes = 0
        self._end = HEADER_BYTES
        if len(entries):
            last = entries["record"][-1]
            self._end = int(last["offset"]) + int(last["stored_bytes"])
        os.ftruncate(fd, self._end if len(entries) else 0)
        if not len(entries):
            _write(fd, b"\0" * HEADER_BYTES)
        journal.open(entries)

    @property
    def count(self) -> int:
        """How many images were added."""
        first, pending = self._pending
        return first + len(pending)

    @property
    def entries(self) -> NDArray[np.void]:
        """The entries of all images that are on disk."""
        return np.concatenate(self._entries)

    def add(self, content: bytes, record: bytes, original: Original) -> None:
        """Append the next image."""
        _write(self._fd, content)
        entry = entry_of(np.frombuffer(record, RECORD), original)
        entry["record"]["offset"] = self._end
        self._end += len(content)
        self._pending[1].append(entry)
        self._pending_bytes += len(content)
        if self._pending_bytes >= _SYNC_BYTES or len(self._pending[1]) >= _SYNC_IMAGES:
            self.sync()

    def sync(self) -> None:
        """Have every image that was added on disk, and in the journal."""
        first, pending = self._pending
        if not pending:
            return
        os.fsync(self._fd)
        entries = np.concatenate(pending)
        # Ctrl-C may come here, and then it is called again: it puts the same.
        self._journal.put(first, entries)
        self._entries.append(entries)
        self._pending, self._pending_bytes = (first + len(pending), []), 0


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InvalidData(f"another process is packing into {path}: wait until it ends") from error
    if not path.exists() or not os.path.samestat(os.fstat(fd), path.stat()):
        # That process has renamed it since it was opened here: it is a whole pack now.
        raise InvalidData(f"another process has just packed into {path}: its pack is whole")


def _write(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]

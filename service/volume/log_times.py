"""When the parts of a log were written: records beside it, which a worker adds while it grows."""

import os
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from service.contract.reading import log_once
from service.volume.opener import open_below

TIMES_FILE = "log.times"
_RECORD = struct.Struct("<QQ")
"""The size of the log in bytes, and the milliseconds since 1970 at which it was seen."""
_EVERY_MS = 1000
_MOST_TIMES = 1000
_MOST_RECORDS = 100_000
"""So many are read for one part of a log; a second has one at most."""
_LATEST_MS = 253_370_764_800_000
"""The year 9999: a later time was torn or is no time."""


class LogTimes:
    """Adds a record when the log has grown, at most once a second."""

    def __init__(self, log_path: Path, now: Callable[[], datetime]) -> None:
        self._log_path, self._now = log_path, now
        self._size, self._at_ms = 0, 0

    def look(self) -> None:
        """See whether the log has grown; a record that cannot be written is left out."""
        try:
            size = self._log_path.lstat().st_size
        except FileNotFoundError:
            return
        at_ms = int(self._now().timestamp() * 1000)
        if size <= self._size or abs(at_ms - self._at_ms) < _EVERY_MS:
            return
        try:
            self._append(_RECORD.pack(size, at_ms))
        except OSError as error:
            log_once("log_times_not_written", f"{self._log_path.parent}: {error.strerror}")
            return
        self._size, self._at_ms = size, at_ms

    def _append(self, record: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(self._log_path.with_name(TIMES_FILE), flags, 0o644)
        try:
            end = os.lseek(handle, 0, os.SEEK_END)
            if os.write(handle, record) < len(record):
                # The disk is full: the records after a part of one could not be read.
                os.ftruncate(handle, end)
        finally:
            os.close(handle)


def times_of(root: Path, attempt_folder: str, start: int, raw: bytes) -> list[tuple[int, datetime]]:
    """Pairs of a line's number in a part of a log and the time from which that line and later are.

    The part begins at byte `start` of the log, its lines are numbered from 0. None where no worker
    has written times; of very many pairs some are left out.
    """
    try:
        with open_below(root, f"{attempt_folder}/{TIMES_FILE}") as file:
            records = list(_records_over(file, start, start + len(raw)))
    except OSError:
        return []
    stride = len(records) // _MOST_TIMES + 1
    # From the end, so that the last lines have the time of the last record.
    return list(_by_line(records[::-stride][::-1], start, raw))


def _by_line(
    records: list[tuple[int, int]], start: int, raw: bytes
) -> Iterator[tuple[int, datetime]]:
    line, position = 0, 0
    for size, at_ms in records:
        # What a record has seen begins with the first line that the one before has not seen whole.
        yield line, datetime.fromtimestamp(at_ms / 1000, UTC)
        end = max(min(size - start, len(raw)), position)
        line += raw.count(b"\n", position, end)
        position = end


def _records_over(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The records from the first that has seen more than `start` bytes to the one of `end`."""
    count = file.seek(0, 2) // _RECORD.size
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if _record(file, middle)[0] > start:
            high = middle
        else:
            low = middle + 1
    for index in range(low, min(count, low + _MOST_RECORDS)):
        size, at_ms = _record(file, index)
        if at_ms < _LATEST_MS:
            yield size, at_ms
        if size >= end:
            return


def _record(file: BinaryIO, index: int) -> tuple[int, int]:
    file.seek(index * _RECORD.size)
    size, at_ms = _RECORD.unpack(file.read(_RECORD.size))
    return size, at_ms

"""The logs of attempts, read from the shared volume."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader

from service.contract.checkpoints import attempt_path
from service.domain.errors import NotFound
from service.volume.identity import SharedVolume
from service.volume.log_times import times_of
from service.volume.opener import UnsafePath, open_below

LOG_FILE = "log.txt"
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class LogPart:
    """Some text, the byte after it, and whether that is the end for now.

    `times` has pairs of a line's number in the text, from 0, and when it and those after it were
    written; a worker of an earlier version has written none.
    """

    text: str
    cursor: int
    end: bool
    times: tuple[tuple[int, datetime], ...] = ()


def read(volume: SharedVolume, job_id: str, attempt: int, cursor: int, limit_bytes: int) -> LogPart:
    """Text from byte `cursor` on, up to a whole character; raises NotFound, WrongVolume.

    Where the middle of a log was removed for its size, a line says how many bytes.
    """
    with _opened(volume, job_id, attempt) as file:
        size = file.seek(0, 2)
        start = min(cursor, size)
        data, hole = _data_after(file.fileno(), start, size)
        file.seek(data)
        raw = file.read(min(limit_bytes, hole - data))
    if data > start:
        removed = f"[{data - start} bytes of this log were removed: it was too large]\n"
        return LogPart(removed, data, data >= size)
    # A character that the hole has torn never comes whole.
    whole = _whole_characters(raw) if data + len(raw) != hole or hole == size else raw
    end = start + len(whole)
    times = times_of(volume.root, attempt_path(job_id, attempt), start, whole) if whole else ()
    text = whole.decode(errors="replace")
    return LogPart(text, end, end + len(raw) - len(whole) >= size, tuple(times))


def tail_cursor(volume: SharedVolume, job_id: str, attempt: int, tail_bytes: int) -> int:
    """Where the last lines of a log begin, as many as fit into `tail_bytes`; raises NotFound."""
    with _opened(volume, job_id, attempt) as file:
        start = file.seek(0, 2) - tail_bytes
        if start <= 0:
            return 0
        # From the byte before, so that a line that begins just there is whole.
        file.seek(start - 1)
        _, newline, lines = file.read(tail_bytes + 1).partition(b"\n")
        return start + tail_bytes - len(lines) if newline and lines else start


def text_parts(volume: SharedVolume, job_id: str, attempt: int) -> Iterator[str]:
    """The text of a log to what is its end now, in parts; raises NotFound before the first."""
    with _opened(volume, job_id, attempt) as file:
        size = file.seek(0, 2)

    def parts() -> Iterator[str]:
        cursor = 0
        while cursor < size:
            try:
                part = read(volume, job_id, attempt, cursor, min(_CHUNK_BYTES, size - cursor))
            except NotFound:
                # The job was deleted while its log is sent.
                return
            if part.cursor <= cursor:
                return
            yield part.text
            cursor = part.cursor

    return parts()


def _opened(volume: SharedVolume, job_id: str, attempt: int) -> BufferedReader:
    try:
        return open_below(volume.root, f"{attempt_path(job_id, attempt)}/{LOG_FILE}")
    except FileNotFoundError:
        volume.require()
        raise NotFound("no_log", f"attempt {attempt} of {job_id} has no log yet") from None
    except UnsafePath as error:
        message = f"the log of attempt {attempt} of {job_id} is not read: {error.filename}"
        raise NotFound("no_log", f"{message}: {error.strerror}") from None


def _data_after(handle: int, start: int, size: int) -> tuple[int, int]:
    """Where the next bytes begin that were not removed, and where they end."""
    if start >= size:
        return size, size
    try:
        data = os.lseek(handle, start, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return size, size
    return data, min(os.lseek(handle, data, os.SEEK_HOLE), size)


def _whole_characters(raw: bytes) -> bytes:
    """Without the last character if it is cut: the next part brings it whole."""
    for back in range(1, min(4, len(raw)) + 1):
        byte = raw[-back]
        if byte < 0x80:
            return raw
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return raw if back >= length else raw[:-back]
    return raw

"""The logs of attempts, read from the shared volume."""

import errno
import os
from dataclasses import dataclass

from service.contract.checkpoints import attempt_path
from service.domain.errors import NotFound
from service.volume.identity import SharedVolume
from service.volume.opener import UnsafePath, open_below

LOG_FILE = "log.txt"


@dataclass(frozen=True)
class LogPart:
    """Some text, the byte after it, and whether that is the end for now."""

    text: str
    cursor: int
    end: bool


def read(volume: SharedVolume, job_id: str, attempt: int, cursor: int, limit_bytes: int) -> LogPart:
    """Text from byte `cursor` on, up to a whole character; raises NotFound, WrongVolume.

    Where the middle of a log was removed for its size, a line says how many bytes.
    """
    try:
        with open_below(volume.root, f"{attempt_path(job_id, attempt)}/{LOG_FILE}") as file:
            size = file.seek(0, 2)
            start = min(cursor, size)
            data, hole = _data_after(file.fileno(), start, size)
            file.seek(data)
            raw = file.read(min(limit_bytes, hole - data))
    except FileNotFoundError:
        volume.require()
        raise NotFound("no_log", f"attempt {attempt} of {job_id} has no log yet") from None
    except UnsafePath as error:
        message = f"the log of attempt {attempt} of {job_id} is not read: {error.filename}"
        raise NotFound("no_log", f"{message}: {error.strerror}") from None
    if data > start:
        removed = f"[{data - start} bytes of this log were removed: it was too large]\n"
        return LogPart(removed, data, data >= size)
    # A character that the hole has torn never comes whole.
    whole = _whole_characters(raw) if data + len(raw) != hole or hole == size else raw
    end = start + len(whole)
    return LogPart(whole.decode(errors="replace"), end, end + len(raw) - len(whole) >= size)


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

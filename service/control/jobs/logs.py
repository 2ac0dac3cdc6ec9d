"""The logs of attempts, read from the shared volume."""

from dataclasses import dataclass
from pathlib import Path

from service.contract.checkpoints import attempt_path
from service.domain.errors import NotFound
from service.volume.opener import UnsafePath, open_below

LOG_FILE = "log.txt"


@dataclass(frozen=True)
class LogPart:
    """Some text, the byte after it, and whether that is the end for now."""

    text: str
    cursor: int
    end: bool


def read(volume: Path, job_id: str, attempt: int, cursor: int, limit_bytes: int) -> LogPart:
    """Text from byte `cursor` on, up to a whole character; raises NotFound."""
    try:
        with open_below(volume, f"{attempt_path(job_id, attempt)}/{LOG_FILE}") as file:
            size = file.seek(0, 2)
            file.seek(min(cursor, size))
            raw = file.read(limit_bytes)
    except FileNotFoundError:
        raise NotFound("no_log", f"attempt {attempt} of {job_id} has no log yet") from None
    except UnsafePath as error:
        message = f"the log of attempt {attempt} of {job_id} is not read: {error.filename}"
        raise NotFound("no_log", f"{message}: {error.strerror}") from None
    start = min(cursor, size)
    whole = _whole_characters(raw)
    end = start + len(whole)
    return LogPart(whole.decode(errors="replace"), end, end + len(raw) - len(whole) >= size)


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

"""The events of an attempt that the control plane has not acknowledged yet."""

import threading
from collections import deque
from pathlib import Path

import structlog
from pydantic import ValidationError

from service.contract.agent import ReportedEvent

_log = structlog.get_logger()


class Spool:
    """Reads `events.jsonl` once, as it grows, and keeps at most `limit` events in memory.

    What is not read yet waits in the file; a half-written last line is left for the next time.
    Reading may hang with the volume, and holds up nobody who asks for what was read.
    """

    def __init__(self, events_path: Path, limit: int = 500) -> None:
        self._path, self._limit = events_path, limit
        self._offset = 0
        self._waiting: deque[ReportedEvent] = deque()
        self._reading, self._lock = threading.Lock(), threading.Lock()
        self.ended_event: ReportedEvent | None = None

    def read(self) -> bool:
        """Take what the file has and `limit` allows, True if that was all; raises OSError."""
        with self._reading:
            return self._read()

    def waiting(self) -> tuple[ReportedEvent, ...]:
        """The oldest unacknowledged events of those that were read, in order."""
        with self._lock:
            return tuple(self._waiting)

    def acknowledge(self, seq: int) -> None:
        """Drop what the control plane has."""
        with self._lock:
            while self._waiting and self._waiting[0].seq <= seq:
                self._waiting.popleft()

    def _read(self) -> bool:
        if not self._path.exists():
            return True
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while len(self._waiting) < self._limit:
                line = file.readline()
                if not line.endswith(b"\n"):
                    return True
                self._offset += len(line)
                self._take(line)
        return False

    def _take(self, line: bytes) -> None:
        try:
            event = ReportedEvent.model_validate_json(line)
        except ValidationError:
            _log.error("event_unreadable", path=str(self._path), offset=self._offset)
            return
        with self._lock:
            self._waiting.append(event)
        if event.kind == "ended":
            self.ended_event = event

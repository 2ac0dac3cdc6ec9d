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
    """

    def __init__(self, events_path: Path, limit: int = 500) -> None:
        self._path, self._limit = events_path, limit
        self._offset = 0
        self._waiting: deque[ReportedEvent] = deque()
        self._lock = threading.Lock()
        self.last_word: ReportedEvent | None = None

    def waiting(self) -> tuple[ReportedEvent, ...]:
        """The oldest unacknowledged events, in order."""
        with self._lock:
            self._read()
            return tuple(self._waiting)

    def acknowledge(self, seq: int) -> None:
        """Drop what the control plane has."""
        with self._lock:
            while self._waiting and self._waiting[0].seq <= seq:
                self._waiting.popleft()

    def all_read(self) -> bool:
        """True if what waits is all there is in the file."""
        with self._lock:
            self._read()
            return len(self._waiting) < self._limit

    def _read(self) -> None:
        if len(self._waiting) >= self._limit or not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while len(self._waiting) < self._limit:
                line = file.readline()
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            event = ReportedEvent.model_validate_json(line)
        except ValidationError:
            _log.error("event_unreadable", path=str(self._path), offset=self._offset)
            return
        self._waiting.append(event)
        if event.kind == "ended":
            self.last_word = event

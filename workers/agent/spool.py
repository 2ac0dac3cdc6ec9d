"""The events of an attempt that the control plane has not acknowledged yet."""

import threading
from collections import deque
from pathlib import Path

import structlog
from pydantic import ValidationError

from service.contract.agent import ReportedEvent

_LIMIT_BYTES = 2 * 1024 * 1024
"""With twice that, the largest, a message is far below what a server takes."""
_log = structlog.get_logger()


class Spool:
    """Reads `events.jsonl` once, as it grows, and keeps at most `limit` events in memory.

    It reads no further while it has `limit_bytes`, so that a message with all of them is bounded;
    an event that is larger by itself is left out, and a note says so. What is not read yet waits in
    the file; a half-written last line is left for the next time. Reading may hang with the volume,
    and holds up nobody who asks for what was read.
    """

    def __init__(
        self, events_path: Path, limit: int = 500, limit_bytes: int = _LIMIT_BYTES
    ) -> None:
        self._path, self._limit, self._limit_bytes = events_path, limit, limit_bytes
        self._offset = 0
        self._waiting: deque[tuple[ReportedEvent, int]] = deque()
        self._waiting_bytes = 0
        self._reading, self._lock = threading.Lock(), threading.Lock()
        self.ended_event: ReportedEvent | None = None

    def read(self) -> bool:
        """Take what the file has and `limit` allows, True if that was all; raises OSError."""
        with self._reading:
            return self._read()

    def waiting(self) -> tuple[ReportedEvent, ...]:
        """The oldest unacknowledged events of those that were read, in order."""
        with self._lock:
            return tuple(event for event, _ in self._waiting)

    def waiting_bytes(self) -> int:
        """The bytes of the events that wait."""
        with self._lock:
            return self._waiting_bytes

    def acknowledge(self, seq: int) -> None:
        """Drop what the control plane has."""
        with self._lock:
            while self._waiting and self._waiting[0][0].seq <= seq:
                self._waiting_bytes -= self._waiting.popleft()[1]

    def _read(self) -> bool:
        if not self._path.exists():
            return True
        with self._path.open("rb") as file:
            file.seek(self._offset)
            while len(self._waiting) < self._limit and self._waiting_bytes < self._limit_bytes:
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
        if len(line) > self._limit_bytes:
            message = f"an event of kind {event.kind} is left out: it has {len(line)} bytes"
            _log.error("event_too_large", path=str(self._path), seq=event.seq, bytes=len(line))
            event = event.model_copy(update={"kind": "note", "body": {"message": message}})
            line = event.model_dump_json().encode()
        with self._lock:
            self._waiting.append((event, len(line)))
            self._waiting_bytes += len(line)
        if event.kind == "ended":
            self.ended_event = event

"""The attempt's folder, where agent and trainer meet.

`spec.json` goes in; `events.jsonl`, `log.txt` and checkpoint folders come out. The events file is
also the spool: the agent forwards from the last acknowledged line, however long that takes.
"""

import errno
import json
import os
from collections.abc import Hashable
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from service.contract.agent import Claim, ReportedEvent
from service.contract.reading import read_json
from service.volume.folder import STAGE_PREFIX


class Assignment(BaseModel):
    """`spec.json`: a claim, and where this worker keeps things."""

    model_config = ConfigDict(frozen=True)

    claim: Claim
    volume: Path
    data_root: Path
    import_root: Path


class AttemptDir:
    """One attempt's folder; one writer of events (rank 0), one reader (the agent)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec_path = folder / "spec.json"
        self.events_path = folder / "events.jsonl"
        self.log_path = folder / "log.txt"
        self._seq = 0
        self._unwritten = b""

    def put(self, assignment: Assignment) -> None:
        """Write `spec.json` whole, making the folder; only its owner may read the token."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.spec_path.with_suffix(".partial")
        partial.write_text(assignment.model_dump_json())
        partial.chmod(0o600)
        partial.replace(self.spec_path)

    def assignment(self) -> Assignment:
        """Read `spec.json`; one of another version as far as it is understood."""
        return read_json(Assignment, self.spec_path.read_text())

    def append(self, kind: str, body: dict[str, Any], at: datetime) -> None:
        """Add one event in one write; `seq` follows the last.

        Raises OSError, as on a full disk; what was not taken is written before the next one.
        """
        self._seq += 1
        event = ReportedEvent.model_validate(
            {"seq": self._seq, "kind": kind, "at": at, "body": body}
        )
        self._unwritten += (event.model_dump_json() + "\n").encode()
        self.write_out()

    def write_out(self) -> None:
        """Write what was not taken so far; raises OSError."""
        if not self._unwritten:
            return
        handle = os.open(self.events_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            end = os.lseek(handle, 0, os.SEEK_END)
            written = os.write(handle, self._unwritten)
            if written < len(self._unwritten):
                # The disk filled up in the middle: no half line may stay before the next.
                os.ftruncate(handle, end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.events_path))
        finally:
            os.close(handle)
        # Not before: a file system over a network may say only now that it took nothing.
        self._unwritten = b""

    def pulse(self) -> None:
        """Show that there is progress, where no event tells it: touch the events file."""
        self.events_path.touch()

    def sign_of_progress(self) -> Hashable:
        """Something that changes with each event, each pulse, and each write of a save."""
        staged = self.folder.glob(f"{STAGE_PREFIX}*/*")
        return tuple(_touched(path) for path in (self.events_path, *sorted(staged)))

    def events_after(self, seq: int, limit: int = 500) -> list[ReportedEvent]:
        """The whole lines after `seq`; a half-written last line is left for the next call."""
        if not self.events_path.exists():
            return []
        found: list[ReportedEvent] = []
        with self.events_path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n") or len(found) == limit:
                    break
                if json.loads(line)["seq"] > seq:
                    found.append(ReportedEvent.model_validate_json(line))
        return found


def _touched(path: Path) -> tuple[str, int] | None:
    # A save may be published, or given up, between two looks.
    try:
        return path.name, path.stat().st_mtime_ns
    except FileNotFoundError:
        return None

"""The attempt folder, through which the agent and the ranks exchange files.

The agent writes `spec.json`; the ranks write `events.jsonl`, `log.txt`, checkpoint folders, and the
failure of a rank other than the first. The agent forwards the events after the last acknowledged
one, so that none is lost while the server is away.
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
from service.volume.identity import SharedVolume
from service.volume.opener import UnsafePath, make_folders, open_below


class Assignment(BaseModel):
    """The content of `spec.json`: a claim, and the folders of this worker."""

    model_config = ConfigDict(frozen=True)

    claim: Claim
    volume: Path
    volume_id: str | None = None
    data_root: Path
    import_root: Path

    @property
    def shared_volume(self) -> SharedVolume:
        """The volume, which can be asked whether it is the server's."""
        return SharedVolume(self.volume, self.volume_id)


class AttemptDir:
    """The folder of one attempt; rank 0 alone writes its events, and the agent reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec_path = folder / "spec.json"
        self.events_path = folder / "events.jsonl"
        self.log_path = folder / "log.txt"
        self._seq = 0
        self._unwritten = b""

    def put(self, assignment: Assignment) -> None:
        """Make the folder below the volume, which must exist, and write `spec.json` in it.

        It is written atomically, and readable for its owner only; raises OSError.
        """
        make_folders(assignment.volume, str(self.folder.relative_to(assignment.volume)))
        partial = self.spec_path.with_suffix(".partial")
        partial.write_text(assignment.model_dump_json())
        partial.chmod(0o600)
        partial.replace(self.spec_path)

    def assignment(self) -> Assignment:
        """Read `spec.json`; unknown fields of another version are ignored."""
        return read_json(Assignment, self.spec_path.read_text())

    def put_failure(self, rank: int, failure: str) -> None:
        """Write a rank's failure for the agent, should rank 0 not report it; raises OSError."""
        path = self.folder / _failure_name(rank)
        partial = path.with_suffix(".partial")
        partial.write_text(failure)
        partial.replace(path)

    def failure_of(self, rank: int) -> str | None:
        """The failure that this rank has written; None without one. Raises OSError."""
        try:
            with open_below(self.folder, _failure_name(rank)) as file:
                return file.read().decode(errors="replace")
        except (FileNotFoundError, UnsafePath):
            return None

    def append(self, kind: str, body: dict[str, Any], at: datetime) -> None:
        """Append one event with the next `seq`.

        Raises OSError, for example on a full disk; the event is then written before the next one.
        """
        self._seq += 1
        event = ReportedEvent.model_validate(
            {"seq": self._seq, "kind": kind, "at": at, "body": body}
        )
        self._unwritten += (event.model_dump_json() + "\n").encode()
        self.write_out()

    def write_out(self) -> None:
        """Write the events that could not be written before; raises OSError."""
        if not self._unwritten:
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(self.events_path, flags, 0o644)
        try:
            end = os.lseek(handle, 0, os.SEEK_END)
            written = os.write(handle, self._unwritten)
            if written < len(self._unwritten):
                # The disk is full: a part of a line must not stay before the next line.
                os.ftruncate(handle, end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.events_path))
        finally:
            os.close(handle)
        # Only after close(), at which a network file system may report a failed write.
        self._unwritten = b""

    def pulse(self) -> None:
        """Touch the events file, which shows progress to the agent without an event."""
        self.events_path.touch()

    def sign_of_progress(self) -> Hashable:
        """A value that changes with each event, each pulse, and each write of a checkpoint."""
        staging_files = self.folder.glob(f"{STAGE_PREFIX}*/*")
        return tuple(_modified(path) for path in (self.events_path, *sorted(staging_files)))

    def events_after(self, seq: int, limit: int = 500) -> list[ReportedEvent]:
        """At most `limit` events after `seq`; an incomplete last line is left for the next call."""
        if not self.events_path.exists():
            return []
        events: list[ReportedEvent] = []
        with self.events_path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n") or len(events) == limit:
                    break
                if json.loads(line)["seq"] > seq:
                    events.append(ReportedEvent.model_validate_json(line))
        return events


def _failure_name(rank: int) -> str:
    return f"failure-rank-{rank}.json"


def _modified(path: Path) -> tuple[str, int] | None:
    # The file may have been renamed or removed since it was listed.
    try:
        return path.name, path.stat().st_mtime_ns
    except FileNotFoundError:
        return None

"""What a control plane noted in the histories of its jobs, with the time by the real clock.

The clock that it writes into its database jumps; this one is also that of the files.
"""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from service.store import history

_ENDS = ("requeued", "paused", "succeeded", "failed", "cancelled")


def keep(path: Path) -> None:
    """Have this process write a line for each event, just before it is committed."""
    note = history.note

    def noted(
        tx: Connection, job_id: str, attempt: int | None, kind: str, message: str, now: datetime
    ) -> None:
        note(tx, job_id, attempt, kind, message, now)
        line = {"at": time.time(), "job_id": job_id, "attempt": attempt, "kind": kind}
        with path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    history.note = noted


@dataclass(frozen=True)
class Span:
    """When an attempt was claimed and when its end was noted, in seconds since the epoch."""

    claimed: float
    ended: float


class Journal:
    """The lines of every control plane that kept one in `path`."""

    def __init__(self, path: Path) -> None:
        self._times: dict[tuple[str, int | None, str], float] = {}
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            # A server that was killed before it had committed notes the same again: the last holds.
            self._times[entry["job_id"], entry["attempt"], entry["kind"]] = entry["at"]

    def span(self, job_id: str, attempt: int) -> Span | None:
        """The life of an attempt as the control plane saw it; None if a part of it is missing."""
        claimed = self._times.get((job_id, attempt, "claimed"))
        ends = [self._times.get((job_id, attempt, kind)) for kind in _ENDS]
        ended = max((end for end in ends if end is not None), default=None)
        return None if claimed is None or ended is None else Span(claimed, ended)

"""What a chaos run did, and when by the real clock."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Fault:
    """A fault while it lasted, in seconds since the epoch; `worker_id` if it was one worker's."""

    what: str
    began: float
    over: float
    worker_id: str | None = None


class History:
    """A list of moments, each a line of a file as soon as it happened."""

    def __init__(self, path: Path) -> None:
        self._path, self._began = path, time.monotonic()
        self.moments: list[dict[str, Any]] = []

    def note(self, kind: str, **fields: Any) -> None:
        """Add a moment; any thread may."""
        moment = {"seconds": round(time.monotonic() - self._began, 3), "kind": kind} | fields
        self.moments.append(moment)
        with self._path.open("a") as file:
            file.write(json.dumps(moment) + "\n")

    def note_fault(self, what: str, began: float, worker_id: str | None = None) -> None:
        """Add a fault that began at `began` by the real clock, and is over now."""
        self.note("fault_ended", what=what, began=began, over=time.time(), worker_id=worker_id)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The moments of one kind, oldest first."""
        return [moment for moment in self.moments if moment["kind"] == kind]

    def jobs_of(self, kind: str) -> set[str]:
        """The jobs that the moments of one kind are about."""
        return {moment["job_id"] for moment in self.of(kind)}

    def faults(self) -> list[Fault]:
        """Every fault with its times."""
        names = ("what", "began", "over", "worker_id")
        return [Fault(*(moment[name] for name in names)) for moment in self.of("fault_ended")]

    def fault_counts(self) -> Counter[str]:
        """How often each fault was injected."""
        return Counter(moment["what"] for moment in self.of("fault"))

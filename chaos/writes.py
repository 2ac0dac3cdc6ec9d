"""What each attempt of a job wrote, and when: judged by the real clock, never by the server's.

Whoever has lost its lease may write on for a moment, if it could not know: into a folder that is
its own, and nothing of it is ever recorded, or gone on from. Everybody else writes while its
attempt lives, and at no other time.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chaos.history import Fault
from chaos.journal import Journal, Span
from service.contract.checkpoints import attempt_path
from service.contract.jobs import Event, Job

_TICK_SECONDS = 0.05
"""The clock of the files is that of the kernel's last tick."""
_END_SECONDS = 2.0
"""In which nothing of a training lives after its end."""
_NOTICE_SECONDS = 1.0
"""In which a worker hears that it has lost a lease, if nothing keeps it from asking."""
_SILENCING = ("cut the network", "kill the server", "restart the server", "stop an agent")
_STOPS = ("stop an agent", "stop a tree")


@dataclass(frozen=True)
class Leases:
    """How long who hears nothing may go on, and save then."""

    self_end_seconds: float
    kill_grace_seconds: float


@dataclass(frozen=True)
class Late:
    """How long an attempt wrote after it had lost its lease."""

    attempt: int
    seconds: float


class Writes:
    """Of one job: the attempts' folders, the control plane's journal, and the faults meanwhile."""

    def __init__(
        self,
        job: Job,
        events: Sequence[Event],
        workers: dict[int, str],
        volume: Path,
        journal: Journal,
        faults: Sequence[Fault],
        leases: Leases,
    ) -> None:
        self._job, self._workers = job, workers
        self._silent_seconds = leases.self_end_seconds + leases.kill_grace_seconds + _END_SECONDS
        self._wake_seconds = leases.kill_grace_seconds + _END_SECONDS
        self._folders = {n: volume / attempt_path(job.id, n) for n in range(1, job.attempt + 1)}
        self._spans = {n: journal.span(job.id, n) for n in self._folders}
        self._faults = sorted(faults, key=lambda each: each.began)
        published = [event for event in events if event.kind == "checkpoint"]
        self._recorded = {event.message.split(": ")[-1]: event.attempt or 0 for event in published}

    def problems(self) -> Iterator[str]:
        """One sentence for each write that may not be."""
        for number, span in self._spans.items():
            if span is None:
                yield f"attempt {number} has no beginning or no end in the journal"
                continue
            yield from self._of_times(number, span)
            yield from self._of_checkpoints(number, span)

    def late(self) -> Iterator[Late]:
        """Who wrote after its end, allowed or not."""
        for number, span in self._spans.items():
            times = self._times(number)
            if span is not None and times and times[-1] > span.ended + _TICK_SECONDS:
                yield Late(number, times[-1] - span.ended)

    def _of_times(self, number: int, span: Span) -> Iterator[str]:
        times, excused = self._times(number), self._excused(number, span)
        if times and times[0] < span.claimed - _TICK_SECONDS:
            yield f"attempt {number} wrote {span.claimed - times[0]:.2f} s before its claim"
        late = [time for time in times if time > span.ended + _TICK_SECONDS]
        bad = [time for time in late if not any(began <= time <= end for began, end in excused)]
        if bad:
            after = bad[-1] - span.ended
            yield f"attempt {number} wrote {after:.2f} s after its end, and had no cause to"

    def _of_checkpoints(self, number: int, span: Span) -> Iterator[str]:
        for event in self._events(number):
            body = event["body"]
            if event["kind"] == "started" and body["resumed_from"] is not None:
                source = self._recorded.get(body["resumed_from"])
                if source is None or source >= number:
                    yield f"attempt {number} went on from what attempt {source} recorded"
            if event["kind"] != "checkpoint":
                continue
            manifest = body["checkpoint"]
            made, whose = manifest["checkpoint_id"], f"attempt {number}, step {manifest['step']}"
            if self._recorded.get(made, number) != number:
                yield f"{made} of {whose} was recorded for attempt {self._recorded[made]}"
            began = datetime.fromisoformat(manifest["created_at"]).timestamp()
            if made in self._recorded and not span.claimed <= began <= span.ended + _TICK_SECONDS:
                yield f"{made} of {whose} was written outside its attempt's life, and recorded"

    def _excused(self, number: int, span: Span) -> list[tuple[float, float]]:
        """When it could not know of its end: the server's clock had jumped, or it was stopped."""
        mine = [t for t in self._faults if t.worker_id in (None, self._workers[number])]
        found: list[tuple[float, float]] = []
        jumps = [each.began for each in mine if each.what == "jump the clock"]
        if any(span.claimed <= jump <= span.ended for jump in jumps):
            known = span.ended + _NOTICE_SECONDS + _END_SECONDS
            silent = [
                t for t in mine if t.what in _SILENCING and t.began <= known and t.over > span.ended
            ]
            found.append((span.ended, known if not silent else span.ended + self._silent_seconds))
        unknown = max((end for _, end in found), default=span.ended)
        for stop in mine:
            if stop.what in _STOPS and span.claimed <= stop.began <= unknown < stop.over + 1:
                # Not while it is stopped: only once it wakes, until it looks at the clock.
                wake = (stop.over - _TICK_SECONDS, stop.over + self._wake_seconds)
                found.append(wake)
        return found

    def _times(self, number: int) -> list[float]:
        found = []
        for path in self._folders[number].rglob("*"):
            # The server removes what it has let go.
            try:
                if path.is_file():
                    found.append(path.stat().st_mtime)
            except FileNotFoundError:
                continue
        return sorted(found)

    def _events(self, number: int) -> Iterator[dict[str, Any]]:
        path = self._folders[number] / "events.jsonl"
        if path.exists():
            yield from map(json.loads, path.read_text().splitlines())

"""The events of an attempt for the agent, and the lines of its log; rank 0 writes them."""

import os
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

from service.contract.text import storable_text
from workers.attempt_dir import AttemptDir


class Mirror(Protocol):
    """Another place in which what is measured can be seen; a run goes on without it."""

    def write(self, kind: str, body: dict[str, Any], at: datetime) -> None: ...

    def write_picture(self, tag: str, png: bytes, size: tuple[int, int], at: datetime) -> None: ...


class Events:
    """Writes events and log lines in a thread of its own, in the order of the calls.

    Any thread may call, and none waits for a volume that hangs. An event that the volume refuses is
    written before the next one. Without `writes`, as in ranks other than the first, all is dropped.
    A `mirror` gets every event, too; where it fails, the log says so once.
    """

    def __init__(
        self,
        attempt_dir: AttemptDir,
        now: Callable[[], datetime],
        *,
        writes: bool,
        mirror: Mirror | None = None,
    ) -> None:
        self._mirror, self._mirror_problem = mirror, ""
        self._attempt_dir, self._now, self._writes = attempt_dir, now, writes
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="events")
        self._last: Future[None] | None = None
        self._broken: Exception | None = None

    def report(self, kind: str, body: dict[str, Any], line: str = "") -> None:
        """Append an event, and a line to the log if it is worth one."""
        at = self._now()
        self._submit(self._attempt_dir.append, kind, body, at)
        if line:
            self.log(line)
        if self._mirror is not None:
            self._submit(self._reflect, self._mirror.write, kind, body, at)

    def picture(self, tag: str, png: bytes, size: tuple[int, int]) -> None:
        """Show a picture of (width, height) pixels where events are mirrored."""
        if self._mirror is not None:
            self._submit(self._reflect, self._mirror.write_picture, tag, png, size, self._now())

    def log(self, line: str) -> None:
        """A line of the log, where it can be read at once."""
        self._submit(_write_line, line)

    def pulse(self) -> None:
        """Show that there is progress, where no event shows it."""
        self._require_sound()
        # What still waits to be written will show it too.
        if self._last is None or self._last.done():
            self._submit(self._attempt_dir.pulse)

    def note(self, message: str) -> None:
        """A `note` event."""
        self.report("note", {"message": message}, message)

    def close(self) -> None:
        """Wait until every event is written; raises OSError if the volume still refuses one."""
        self._writer.shutdown()
        self._require_sound()
        self._attempt_dir.write_out()

    def _submit(self, write: Callable[..., None], *content: Any) -> None:
        if self._writes:
            self._last = self._writer.submit(self._write, write, *content)

    def _write(self, write: Callable[..., None], *content: Any) -> None:
        try:
            # A volume that takes nothing now is no reason to end a run.
            with suppress(OSError):
                write(*content)
        except Exception as error:
            self._broken = error

    def _reflect(self, write: Callable[..., None], *content: Any) -> None:
        if self._mirror is None:
            return
        try:
            write(*content)
        except OSError as error:
            if str(error) != self._mirror_problem:
                self._mirror_problem = str(error)
                _write_line(f"nothing is written for TensorBoard now: {error}")
        except Exception:
            # Not worth a run that takes days.
            traceback.print_exc()
            self._mirror = None

    def _require_sound(self) -> None:
        # A bug of ours ends the run, and not only a save: so it is raised where the run goes on.
        if self._broken is not None:
            broken, self._broken = self._broken, None
            raise broken


def _write_line(line: str) -> None:
    # Past the lock of sys.stdout, which a loader process forked in this moment would find taken.
    os.write(sys.stdout.fileno(), f"{storable_text(line)}\n".encode())

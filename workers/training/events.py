"""What an attempt says of itself: events for the agent, lines for the log. Rank 0 speaks."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any

from workers.attempt_dir import AttemptDir


class Events:
    """The voice of one rank; ranks other than the first are silent.

    Any thread may speak. One of its own writes, in the order in which it was spoken: a volume that
    hangs holds up nobody who speaks. An event that is refused is written before the next one.
    """

    def __init__(self, mailbox: AttemptDir, now: Callable[[], datetime], *, speaks: bool) -> None:
        self._mailbox, self._now, self._speaks = mailbox, now, speaks
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="events")
        self._last: Future[None] | None = None
        self._broken: Exception | None = None

    def tell(self, kind: str, body: dict[str, Any], line: str = "") -> None:
        """Append an event, and a line to the log if it is worth one."""
        self._say(self._mailbox.append, kind, body, self._now())
        if line:
            self.log(line)

    def log(self, line: str) -> None:
        """A line of the log, where it can be read at once."""
        self._say(_write_line, line)

    def alive(self) -> None:
        """Show that there is progress: more often than there is something to tell."""
        self._require_sound()
        # What still waits to be written will show it too.
        if self._last is None or self._last.done():
            self._say(self._mailbox.pulse)

    def note(self, message: str) -> None:
        """A `note` event."""
        self.tell("note", {"message": message}, message)

    def close(self) -> None:
        """Wait until every event is written; raises OSError if the volume still refuses one."""
        self._writer.shutdown()
        self._require_sound()
        self._mailbox.write_out()

    def _say(self, write: Callable[..., None], *said: Any) -> None:
        if self._speaks:
            self._last = self._writer.submit(self._write, write, *said)

    def _write(self, write: Callable[..., None], *said: Any) -> None:
        try:
            # A volume that takes nothing now is no reason to end a run.
            with suppress(OSError):
                write(*said)
        except Exception as error:
            self._broken = error

    def _require_sound(self) -> None:
        # A bug of ours ends the run, and not only a save: so it is raised where the run goes on.
        if self._broken is not None:
            broken, self._broken = self._broken, None
            raise broken


def _write_line(line: str) -> None:
    # Past the lock of sys.stdout, which a loader process forked in this moment would find taken.
    os.write(sys.stdout.fileno(), f"{line}\n".encode())

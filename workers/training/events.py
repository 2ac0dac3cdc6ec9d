"""What an attempt says of itself: events for the agent, lines for the log. Rank 0 speaks."""

import sys
from collections.abc import Callable
from datetime import datetime
from queue import Empty, SimpleQueue
from typing import Any

from workers.mailbox import Mailbox, suppress_full_disk


class Events:
    """The voice of one rank; ranks other than the first are silent."""

    def __init__(self, mailbox: Mailbox, now: Callable[[], datetime], *, speaks: bool) -> None:
        self._mailbox, self._now, self._speaks = mailbox, now, speaks
        self._left: SimpleQueue[tuple[str, dict[str, Any], str]] = SimpleQueue()

    def tell(self, kind: str, body: dict[str, Any], line: str = "") -> None:
        """Append an event, and a line to the log if it is worth one."""
        if not self._speaks:
            return
        self._mailbox.append(kind, body, self._now())
        if line:
            self.log(line)

    def log(self, line: str) -> None:
        """A line of the log, where it can be read at once."""
        if self._speaks:
            with suppress_full_disk():
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()

    def alive(self) -> None:
        """Show that there is progress: more often than there is something to tell."""
        if self._speaks:
            self._mailbox.pulse()

    def note(self, message: str) -> None:
        """A `note` event."""
        self.tell("note", {"message": message}, message)

    def leave(self, kind: str, body: dict[str, Any], line: str) -> None:
        """The same as `tell` from another thread: it is said when the loop comes by."""
        self._left.put((kind, body, line))

    def tell_left(self) -> None:
        """Say what other threads have left; the events file has one writer."""
        while True:
            try:
                kind, body, line = self._left.get_nowait()
            except Empty:
                return
            self.tell(kind, body, line)

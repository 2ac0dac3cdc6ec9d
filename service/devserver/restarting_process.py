"""A place in the yard that is to be filled: a program that is started again when it dies."""

from collections.abc import Callable

from service.client import TrainyardError
from service.devserver.child import Child, Program

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
REFUSED = 2
"""The exit status of a program that will not start, however often it is tried."""


class Refused(TrainyardError):
    """A program says that it cannot run like this; starting it again would not help."""


class RestartingProcess:
    """Holds a program's present run, or the time of its next."""

    def __init__(self, program: Program, clock: Callable[[], float]) -> None:
        self.program = program
        self.child: Child | None = None
        self._clock = clock
        self._started_at = 0.0
        self._due_at = 0.0
        self._delay_seconds = FIRST_DELAY_SECONDS

    def start(self) -> None:
        """Start a run."""
        self.child = Child(self.program)
        self._started_at = self._clock()

    def due_in_seconds(self) -> float | None:
        """The time until its next start; None while it runs."""
        return None if self.child else max(0.0, self._due_at - self._clock())

    def look(self) -> str | None:
        """Plan the next start when the run has ended, and say so; None when there is no news.

        Raises Refused when the program ended with status 2.
        """
        status = self.child.ended() if self.child else None
        if self.child is None or status is None:
            return None
        why = f"{self.program.name} ended unexpectedly ({_status(status)})"
        words = self.child.last_words()
        if status == REFUSED:
            raise Refused(words or why)
        self.child = None
        if self._clock() - self._started_at > LONGEST_DELAY_SECONDS:
            self._delay_seconds = FIRST_DELAY_SECONDS
        delay = self._delay_seconds
        self._due_at = self._clock() + delay
        self._delay_seconds = min(2 * delay, LONGEST_DELAY_SECONDS)
        return f"{why}{': ' if words else ''}{words}; it starts again in {delay:g} s"


def _status(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"

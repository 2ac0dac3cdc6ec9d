"""A process that is started again, after a growing delay, when it ends."""

from collections.abc import Callable

from service.client import TrainyardError
from service.devserver.child import Child, Program

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
REFUSED_STATUS = 2
"""The exit status of a program that cannot run with its settings, however often it is started."""


class StartRefused(TrainyardError):
    """A program reported that it cannot run with its settings, so it is not started again."""


class RestartingProcess:
    """A program with its running process, or with the time of its next start."""

    def __init__(self, program: Program, clock: Callable[[], float]) -> None:
        self.program = program
        self.child: Child | None = None
        self._clock = clock
        self._started_at = 0.0
        self._due_at = 0.0
        self._delay_seconds = FIRST_DELAY_SECONDS

    def start(self) -> None:
        """Start the process."""
        self.child = Child(self.program)
        self._started_at = self._clock()

    def age_seconds(self) -> float:
        """The seconds since the last start."""
        return self._clock() - self._started_at

    def due_in_seconds(self) -> float | None:
        """The seconds until the next start, 0 if it is overdue, and None while the process runs."""
        return None if self.child else max(0.0, self._due_at - self._clock())

    def poll(self) -> str | None:
        """Schedule a restart if the process has ended, and return a message about it, else None.

        Raises StartRefused when the process ended with status 2.
        """
        status = self.child.exit_status() if self.child else None
        if self.child is None or status is None:
            return None
        message = f"{self.program.name} ended unexpectedly ({_describe(status)})"
        output = self.child.last_output_line()
        if status == REFUSED_STATUS:
            raise StartRefused(output or message)
        self.child = None
        if self._clock() - self._started_at > LONGEST_DELAY_SECONDS:
            self._delay_seconds = FIRST_DELAY_SECONDS
        delay = self._delay_seconds
        self._due_at = self._clock() + delay
        self._delay_seconds = min(2 * delay, LONGEST_DELAY_SECONDS)
        return f"{message}{': ' if output else ''}{output}; it starts again in {delay:g} s"


def _describe(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"

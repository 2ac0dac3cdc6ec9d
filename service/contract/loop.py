"""The one frame of every thread that runs as long as its process: the server's and the agent's.

It is in the contract because that is the one room which both sides import; it needs the standard
library alone.
"""

import os
import threading
from collections.abc import Callable
from typing import Any, Protocol

LOOP_FAILED_STATUS = 70
"""The exit status of a process that a loop has ended; EX_SOFTWARE of sysexits.h."""

_RETRY_SECONDS = 1.0
"""The least pause after a turn that raised."""


class LoopLog(Protocol):
    """What a loop needs of a structlog logger: an event name with fields."""

    def warning(self, event: str, **fields: Any) -> Any:
        """Log without a traceback."""

    def exception(self, event: str, **fields: Any) -> Any:
        """Log with the traceback of the error that is being handled."""

    def critical(self, event: str, **fields: Any) -> Any:
        """Log the end of the process."""


def log_thread_errors(log: LoopLog) -> None:
    """Have an error that ends a thread of this process logged like every other error."""

    def note(end: threading.ExceptHookArgs) -> None:
        # The error is no longer being handled here, so that it is given.
        log.exception(
            "thread_failed", thread=end.thread.name if end.thread else "", exc_info=end.exc_value
        )

    threading.excepthook = note


class Loop:
    """A thread that calls `turn` again and again until it is stopped, whatever a turn raises.

    Between two turns it pauses `every_seconds`, or as many seconds as the turn has returned; None
    is a pause without an end. `hasten` cuts a pause short.

    A turn that raises is logged: `outages` (the database or the volume is away) in one line,
    everything else with its traceback. After `fatal_errors` of the latter in a row the process
    ends with LOOP_FAILED_STATUS: for a loop without which the process is of no use.
    """

    def __init__(
        self,
        name: str,
        every_seconds: float | None,
        turn: Callable[[], float | None],
        *,
        log: LoopLog,
        outages: tuple[type[BaseException], ...] = (),
        fatal_errors: int | None = None,
    ) -> None:
        self.name, self.turns, self.errors = name, 0, 0
        self.outage: str | None = None
        """What the last turn ended with, if that was one of `outages`."""
        self._every_seconds, self._turn, self._log = every_seconds, turn, log
        self._outages, self._fatal_errors = outages, fatal_errors
        self._outages_in_a_row = self._errors_in_a_row = 0
        self._stopped, self._hastened = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Take the first turn now; a loop without a pace takes it when it is hastened."""
        self._thread.start()

    def hasten(self) -> None:
        """Have the next turn come at once, or right after the one under way."""
        self._hastened.set()

    def stop(self) -> None:
        """Take no more turns; returns at once, and may be called in a turn."""
        self._stopped.set()
        self._hastened.set()

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait until the last turn has ended; False at the timeout."""
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def is_stopped(self) -> bool:
        """True once it was asked to stop: a long turn looks here."""
        return self._stopped.is_set()

    def _run(self) -> None:
        pause = None if self._every_seconds is None else 0.0
        try:
            while not self._is_stopped_after(pause):
                pause = self._guarded_turn()
        finally:
            # Only a fault of this frame or of the log leads here: the thread dies.
            if self._fatal_errors is not None and not self._stopped.is_set():
                os._exit(LOOP_FAILED_STATUS)

    def _is_stopped_after(self, pause_seconds: float | None) -> bool:
        self._hastened.wait(pause_seconds)
        self._hastened.clear()
        return self._stopped.is_set()

    def _guarded_turn(self) -> float | None:
        try:
            pause = self._turn()
        except self._outages as error:
            self._note_outage(error)
        except BaseException:
            # A SystemExit too would end this thread, and nobody would see it.
            self._note_error()
        else:
            self._outages_in_a_row = self._errors_in_a_row = 0
            self.outage = None
            return self._every_seconds if pause is None else pause
        finally:
            self.turns += 1
        return max(self._every_seconds or 0.0, _RETRY_SECONDS)

    def _note_outage(self, error: BaseException) -> None:
        self.errors += 1
        self._outages_in_a_row += 1
        self.outage = str(error).split("\n")[0]
        # The first, and then ever fewer: an outage may last a night.
        if self._outages_in_a_row.bit_count() == 1:
            self._log.warning(
                "loop_waits",
                loop=self.name,
                in_a_row=self._outages_in_a_row,
                error=self.outage,
            )

    def _note_error(self) -> None:
        self.errors += 1
        self._errors_in_a_row += 1
        if self._errors_in_a_row.bit_count() == 1:
            self._log.exception("loop_turn_failed", loop=self.name, in_a_row=self._errors_in_a_row)
        if self._fatal_errors is not None and self._errors_in_a_row >= self._fatal_errors:
            self._log.critical("loop_ends_the_process", loop=self.name, status=LOOP_FAILED_STATUS)
            os._exit(LOOP_FAILED_STATUS)

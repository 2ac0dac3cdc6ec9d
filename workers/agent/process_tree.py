"""The processes of an attempt, as its agent steers them."""

import threading
from collections.abc import Callable

from workers.launcher.base import Handle, Launch, Launcher
from workers.launcher.process_exit import ProcessExit

DUMP_SECONDS = 2.0
"""What the ranks have to write their stacks."""


class ProcessTree:
    """Everything below an attempt's supervisor; before it is started there is nothing to steer."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._handle: Handle | None = None

    def start(self, launch: Launch, ended: Callable[[ProcessExit], None]) -> None:
        """Start the ranks; `ended` is called from another thread, once all have ended."""
        handle = self._handle = self._launcher.start(launch)
        threading.Thread(target=lambda: ended(_exit_of(handle)), daemon=True).start()

    def hold_until(self, boot_seconds: float) -> None:
        """Have it end by itself at this time of `boot_clock` unless told a later one."""
        if self._handle is not None:
            self._handle.extend_deadline(boot_seconds)

    def terminate(self) -> None:
        """Ask the ranks to save and end."""
        if self._handle is not None:
            self._handle.terminate()

    def kill(self) -> None:
        """End all of it at once."""
        if self._handle is not None:
            self._handle.kill()

    def kill_with_stacks(self) -> None:
        """The same once each rank has had the time to write the stacks of its threads."""
        if self._handle is not None:
            self._handle.dump_stacks()
            self._handle.wait(DUMP_SECONDS)
            self._handle.kill()

    def end(self) -> None:
        """Kill it, and wait until nothing of it lives."""
        if self._handle is not None:
            self._handle.kill()
            self._handle.wait()


def _exit_of(handle: Handle) -> ProcessExit:
    exit_ = handle.wait()
    assert exit_ is not None
    return exit_

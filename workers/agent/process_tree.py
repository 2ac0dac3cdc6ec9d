"""The processes of an attempt, as its agent starts and ends them."""

import threading
from collections.abc import Callable, Sequence

from workers.launcher.base import Handle, Launch, Launcher
from workers.launcher.process_exit import ProcessExit

DUMP_SECONDS = 2.0
"""How long the ranks have to write their stacks."""


class ProcessTree:
    """The ranks of an attempt with all their descendants; before the start every call is void."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._handle: Handle | None = None

    def start(self, launch: Launch, on_end: Callable[[ProcessExit | Exception], None]) -> None:
        """Start the ranks; `on_end` is called from another thread, once all have ended.

        It is given the error if the launcher fails to say how they ended.
        """
        handle = self._handle = self._launcher.start(launch)
        wait = threading.Thread(target=_wait, args=(handle, on_end), name="ranks", daemon=True)
        wait.start()

    @property
    def gpus(self) -> Sequence[int]:
        """The indices of the GPUs that the ranks use; none before the start."""
        # A handle of an installed launcher may be of before there were samples.
        return getattr(self._handle, "gpus", ())

    def gpus_of(self, ranks: Sequence[int]) -> list[int]:
        """The indices of the GPUs of some ranks, as far as the launcher tells them."""
        return [self.gpus[rank] for rank in ranks if rank < len(self.gpus)]

    def extend_deadline(self, boot_seconds: float) -> None:
        """Have the ranks be killed at this time of `boot_clock`, instead of an earlier one."""
        if self._handle is not None:
            self._handle.extend_deadline(boot_seconds)

    def terminate(self) -> None:
        """Ask the ranks to save and end."""
        if self._handle is not None:
            self._handle.terminate()

    def kill(self) -> None:
        """Kill the ranks and their descendants at once."""
        if self._handle is not None:
            self._handle.kill()

    def kill_with_stacks(self) -> None:
        """Kill them once each rank has had the time to write the stacks of its threads."""
        if self._handle is not None:
            self._handle.dump_stacks()
            self._handle.wait(DUMP_SECONDS)
            self._handle.kill()

    def end(self) -> None:
        """Kill them, and wait until none is left."""
        if self._handle is not None:
            self._handle.kill()
            self._handle.wait()


def _wait(handle: Handle, on_end: Callable[[ProcessExit | Exception], None]) -> None:
    try:
        exit_ = handle.wait()
        assert exit_ is not None, "a wait without a timeout has an exit"
    except Exception as error:
        on_end(error)
    else:
        on_end(exit_)

"""What the Linux kernel is asked for, so that no process outlives its purpose."""

import ctypes
import os
import signal
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent_pid: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Get the signal `by` when the parent's thread that made this process ends, or has ended."""
    _prctl(_PR_SET_PDEATHSIG, by)
    # The parent may have died before the call: then nobody would tell.
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), by)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, whatever its session."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def boot_clock() -> float:
    """Seconds since the machine was started, those of its sleep too: the same in all processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))

"""Calls to the Linux kernel that tie the lifetime of processes together, and the boot clock."""

import ctypes
import os
import signal
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent_pid: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Have this process receive the signal `by` when its parent `parent_pid` ends, or has ended.

    The kernel watches the thread that forked this process. Raises OSError.
    """
    _prctl(_PR_SET_PDEATHSIG, by)
    # A parent that ended before prctl sends no signal.
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), by)


def become_subreaper() -> None:
    """Make this process the parent of every descendant whose own parent dies; raises OSError."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def boot_clock() -> float:
    """Seconds since the machine booted, suspended time included; equal in all its processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))

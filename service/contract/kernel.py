"""Calls to the Linux kernel: what ends with and before what, the boot clock, durable folders."""

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_FALLOC_KEEP_SIZE, _FALLOC_PUNCH_HOLE = 1, 2
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent_pid: int, by: int = signal.SIGKILL) -> None:
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


def die_first() -> None:
    """Have the kernel end this process and its children before all others when memory runs out.

    A kernel that does not let it be changed chooses as ever.
    """
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def boot_clock() -> float:
    """Seconds since the machine booted, suspended time included; equal in all its processes."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def sync_folder(folder: Path) -> None:
    """Make the entries of a folder durable: what was created, renamed or removed in it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def punch_hole(handle: int, start: int, end: int) -> None:
    """Give the bytes of a file from `start` to `end` back to the disk; its size stays.

    They read as zeros. Raises OSError, with EOPNOTSUPP on a file system without holes.
    """
    mode = _FALLOC_KEEP_SIZE | _FALLOC_PUNCH_HOLE
    if _libc.fallocate(handle, mode, ctypes.c_longlong(start), ctypes.c_longlong(end - start)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))

"""Processes of tests."""

from pathlib import Path

import psutil


def lives(process: psutil.Process) -> bool:
    """Whether a process can still do anything: a zombie without threads only waits to be reaped."""
    try:
        is_zombie = process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
        return bool(process.is_running() and not is_zombie)
    except psutil.NoSuchProcess:
        # It ended between the two questions.
        return False


def kernel_name(process: psutil.Process) -> str:
    """The name that the kernel has of a process: at most 15 characters, in `/proc/PID/stat` too."""
    return Path(f"/proc/{process.pid}/comm").read_text().removesuffix("\n")

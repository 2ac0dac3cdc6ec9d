"""Processes of tests."""

import psutil


def lives(process: psutil.Process) -> bool:
    """Whether a process can still do anything: a zombie only waits to be reaped."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        # It ended between the two questions.
        return False

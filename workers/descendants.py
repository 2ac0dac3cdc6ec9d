"""Kills every process below this one, and collects the wait statuses of its children."""

import os
import time
from collections.abc import Collection

import psutil

_POLL_SECONDS = 0.005


def kill_descendants(keep: Collection[int] = ()) -> dict[int, int]:
    """Kill the descendants of this process until none is left; return wait statuses by pid.

    The children whose pids are in `keep`, and their descendants, are not killed. In a subreaper
    this also reaches processes that left their session or whose parents have died; in any other
    process it does not.
    """
    statuses: dict[int, int] = {}
    while processes := _descendants(keep):
        for process in processes:
            # psutil raises this too when the pid has been reused by a new process.
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        time.sleep(_POLL_SECONDS)
        for process in processes:
            status = reap(process.pid)
            if status is not None:
                statuses[process.pid] = status
    return statuses


def reap(pid: int) -> int | None:
    """The wait status of a child that has ended; None for a running one, or for no child."""
    try:
        ended_pid, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return status if ended_pid else None


def _descendants(keep: Collection[int]) -> list[psutil.Process]:
    descendants: list[psutil.Process] = []
    for child in psutil.Process().children():
        if child.pid not in keep:
            descendants.append(child)
            try:
                descendants += child.children(recursive=True)
            except psutil.NoSuchProcess:
                continue
    return descendants

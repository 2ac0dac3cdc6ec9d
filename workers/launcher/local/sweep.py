"""The sure end of a process tree."""

import os
import time
from collections.abc import Collection

import psutil

_LOOK_AGAIN_SECONDS = 0.005


def sweep(keep: Collection[int] = ()) -> dict[int, int]:
    """Kill the descendants of this process until none is left, and give its children's statuses.

    Children in `keep`, and what is below them, stay. Only a process that adopts orphans finds all:
    those too that left their session, or whose parents are dead.
    """
    statuses: dict[int, int] = {}
    while victims := _below(keep):
        for victim in victims:
            # A process that has just ended, or become another's pid, needs no signal.
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                continue
        time.sleep(_LOOK_AGAIN_SECONDS)
        for victim in victims:
            status = reaped(victim.pid)
            if status is not None:
                statuses[victim.pid] = status
    return statuses


def reaped(pid: int) -> int | None:
    """The wait status of this child if it has ended; None if it lives, or is no child."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return status if ended else None


def _below(keep: Collection[int]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for child in psutil.Process().children():
        if child.pid not in keep:
            found.append(child)
            try:
                found += child.children(recursive=True)
            except psutil.NoSuchProcess:
                continue
    return found

"""How a test waits for what no call tells of, and how often it asks."""

import time
from collections.abc import Callable
from typing import Any

DEADLINE_SECONDS = 60.0

_FIRST_SECONDS = 0.01
_LAST_SECONDS = 0.1
_GROWTH = 0.02


def eventually(condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> None:
    """Return as soon as the condition holds; fails after the deadline."""
    began = time.monotonic()
    while not condition():
        waited_seconds = time.monotonic() - began
        assert waited_seconds < seconds, "not within the deadline"
        pause(waited_seconds)


def pause(waited_seconds: float) -> None:
    """Sleep before the next question: 10 ms at first, longer the longer it was waited, to 0.1 s.

    A question may look through all processes of the machine, or cost a server some milliseconds of
    the CPU that it waits for.
    """
    time.sleep(min(_LAST_SECONDS, _FIRST_SECONDS + _GROWTH * waited_seconds))

"""How often a test asks for what no call tells of."""

import time

_FIRST_SECONDS = 0.01
_LAST_SECONDS = 0.1
_GROWTH = 0.02


def pause(waited_seconds: float) -> None:
    """Sleep before the next question: 10 ms at first, longer the longer it was waited, to 0.1 s.

    A question may look through all processes of the machine, or cost a server some milliseconds of
    the CPU that it waits for.
    """
    time.sleep(min(_LAST_SECONDS, _FIRST_SECONDS + _GROWTH * waited_seconds))

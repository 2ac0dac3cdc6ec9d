"""What a run spends its time on, measured by its loop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from service.contract.time_spent import TimeSpent

Activity = Literal["data_wait", "step", "validation", "save", "other"]


class TimeAccount:
    """The seconds since it was made, each counted for one activity; `other` outside of `on`.

    `clock` is monotonic, in seconds. For one thread.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds: dict[Activity, float] = {}
        self._activity: Activity = "other"
        self._since = clock()

    @contextmanager
    def on(self, activity: Activity) -> Iterator[None]:
        """Count for `activity`; within another, that one goes on afterwards."""
        before = self._switch(activity)
        try:
            yield
        finally:
            self._switch(before)

    def spent(self) -> TimeSpent:
        """The seconds so far, with those of the present activity."""
        self._switch(self._activity)
        return TimeSpent(**{f"{name}_seconds": own for name, own in self._seconds.items()})

    def move(self, seconds: float, origin: Activity, target: Activity) -> None:
        """Count `seconds` of `origin`, at most all of them, for `target`."""
        moved = min(seconds, self._seconds.get(origin, 0.0))
        self._add(origin, -moved)
        self._add(target, moved)

    def _switch(self, activity: Activity) -> Activity:
        now, before = self._clock(), self._activity
        self._add(before, now - self._since)
        self._activity, self._since = activity, now
        return before

    def _add(self, activity: Activity, seconds: float) -> None:
        self._seconds[activity] = self._seconds.get(activity, 0.0) + seconds

"""Whether an attempt still makes progress."""

import threading
from collections.abc import Callable, Hashable

from service.contract.agent import Lease


class Watchdog:
    """Adds up the time in which the ranks gave no sign; `clock` is monotonic, in seconds.

    `sign` is anything that changes with progress. It reads the volume, which may hang: so one
    thread looks, and others ask. What cannot be seen counts as silence.
    """

    def __init__(
        self, sign: Callable[[], Hashable], lease: Lease, clock: Callable[[], float]
    ) -> None:
        self._sign, self._clock = sign, clock
        self._limit_seconds = lease.stall_seconds
        # A machine that slept, or an agent that was stopped, has not looked: that is no silence.
        self._longest_gap_seconds = 2 * lease.heartbeat_seconds
        self._seen: Hashable = None
        self._counted_at: float | None = None
        self._quiet_seconds = 0.0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From now on there is something to see."""
        with self._lock:
            self._quiet_seconds, self._counted_at = 0.0, self._clock()

    def look(self) -> None:
        """See whether there is a new sign; raises OSError."""
        sign = self._sign()
        with self._lock:
            self._count()
            if sign != self._seen:
                self._seen, self._quiet_seconds = sign, 0.0

    def has_stalled(self, for_seconds: float = 0.0) -> bool:
        """True once there was no sign for `stall_seconds`, and `for_seconds` after that."""
        with self._lock:
            self._count()
            return self._quiet_seconds >= self._limit_seconds + for_seconds

    def _count(self) -> None:
        if self._counted_at is None:
            return
        now = self._clock()
        self._quiet_seconds += min(now - self._counted_at, self._longest_gap_seconds)
        self._counted_at = now

"""Whether an attempt still makes progress."""

from collections.abc import Callable, Hashable

from service.contract.agent import Lease


class Watchdog:
    """Adds up the time in which the ranks gave no sign; `clock` is monotonic, in seconds.

    `sign` is anything that changes with progress. It reads the volume, which may hang: so one
    thread looks, and another asks.
    """

    def __init__(
        self, sign: Callable[[], Hashable], lease: Lease, clock: Callable[[], float]
    ) -> None:
        self._sign, self._clock = sign, clock
        self._limit_seconds = lease.stall_seconds
        # A machine that slept, or an agent that was stopped, has not looked: that is no silence.
        self._longest_gap_seconds = 2 * lease.heartbeat_seconds
        self._seen: Hashable = None
        self._looked_at: float | None = None
        self._quiet_seconds = 0.0

    def begin(self) -> None:
        """The ranks are started: until now there was nothing to see."""
        self._quiet_seconds, self._looked_at = 0.0, self._clock()

    def look(self) -> None:
        """See whether there is a new sign; raises OSError."""
        if self._looked_at is None:
            return
        sign, now = self._sign(), self._clock()
        gap_seconds = min(now - self._looked_at, self._longest_gap_seconds)
        self._quiet_seconds = self._quiet_seconds + gap_seconds if sign == self._seen else 0.0
        self._seen, self._looked_at = sign, now

    def has_stalled(self) -> bool:
        """True once there was no sign for `stall_seconds`."""
        return self._quiet_seconds >= self._limit_seconds

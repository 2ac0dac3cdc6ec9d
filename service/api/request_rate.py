"""A limit to how many requests a caller may send in a time."""

from collections.abc import Hashable
from math import ceil

BURST_SECONDS = 10.0
"""What of the rate may come at once: a page loads its files, a script submits a list."""
_MOST_CALLERS = 4096


class RequestRate:
    """Tells who sends more requests than `per_minute`, on a long average; 0 is no limit.

    A generic cell rate algorithm: of each caller it keeps the moment at which what was sent so far
    would be sent at the rate, in seconds of a monotonic clock. A refused request does not count.
    """

    def __init__(self, per_minute: int) -> None:
        self._interval = 60.0 / per_minute if per_minute else 0.0
        self._even_at: dict[Hashable, float] = {}

    def seconds_left(self, caller: Hashable, now: float) -> int | None:
        """Count a request; the whole seconds to wait if it is one too many, else None."""
        if not self._interval:
            return None
        even_at = max(now, self._even_at.get(caller, now))
        ahead = even_at + self._interval - now - BURST_SECONDS
        if ahead > 0:
            return ceil(ahead)
        if caller not in self._even_at and len(self._even_at) >= _MOST_CALLERS:
            self._forget(now)
        self._even_at[caller] = even_at + self._interval
        return None

    def _forget(self, now: float) -> None:
        """Forget who sends nothing; if everybody does, the quarter that has sent least."""
        busy = [(caller, at) for caller, at in self._even_at.items() if at > now]
        if len(busy) >= _MOST_CALLERS:
            busy = sorted(busy, key=lambda each: each[1])[_MOST_CALLERS // 4 :]
        self._even_at = dict(busy)

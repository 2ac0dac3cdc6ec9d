"""An attempt's lease, as its worker keeps it on its own clock."""

from collections.abc import Callable

from service.contract.agent import Lease

_KILL_AT = 0.8
"""The share of the grace that the ranks have to save; in the rest the tree is killed."""


class AttemptLease:
    """When the lease was renewed, and until when the ranks may save; `clock` is monotonic."""

    def __init__(self, lease: Lease, clock: Callable[[], float]) -> None:
        self._lease, self._clock = lease, clock
        self._renewed_at: float | None = None
        self._kill_at: float | None = None

    @property
    def is_held(self) -> bool:
        """True once the control plane has confirmed it."""
        return self._renewed_at is not None

    @property
    def kill_deadline(self) -> float:
        """When the ranks are killed, by the agent or by their supervisor."""
        return self._ends_at + self._lease.kill_grace_seconds

    def renew(self, sent_at: float) -> None:
        """A beat sent at `sent_at` was answered."""
        self._renewed_at = max(sent_at, self._renewed_at or sent_at)

    def begin_grace(self) -> None:
        """The ranks have been asked to save and end."""
        self._kill_at = self._clock() + self._lease.kill_grace_seconds * _KILL_AT

    def has_run_out(self) -> bool:
        """True once the tree must end by itself: the job may soon be another worker's."""
        return self._clock() >= self._ends_at

    def grace_is_over(self) -> bool:
        """True once the tree is to be killed."""
        return self._kill_at is not None and self._clock() >= self._kill_at

    def seconds_to_look(self) -> float:
        """How long one may wait before asking again."""
        # Not until the end: a machine that slept must see the clock soon after it wakes.
        times = [self._clock() + self._lease.heartbeat_seconds]
        times += [self._ends_at] if self._kill_at is None else []
        times += [] if self._kill_at is None or self.grace_is_over() else [self._kill_at]
        return max(0.0, min(times) - self._clock())

    @property
    def _ends_at(self) -> float:
        assert self._renewed_at is not None, "nothing runs before the lease is held"
        return self._renewed_at + self._lease.self_end_seconds

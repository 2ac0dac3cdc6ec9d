"""Follows whether the launcher's machines are there for attempts, and for how long."""

from collections.abc import Callable

import structlog

from service.contract.loop import Loop
from workers.launcher.base import Availability, Launcher

_EVERY_SECONDS = 1.0
_log = structlog.get_logger()


class AvailabilityWatch:
    """Calls `on_change` with each change, from a thread of its own.

    A launcher that says nothing of it is there for as long as the worker.
    """

    def __init__(self, launcher: Launcher, on_change: Callable[[Availability], None]) -> None:
        self._ask: Callable[[], Availability] | None = getattr(launcher, "availability", None)
        self._on_change, self._last = on_change, Availability.OPEN
        self._loop = Loop("availability", _EVERY_SECONDS, self._look, log=_log)

    def start(self) -> None:
        """Look now, before anything is claimed, and then again and again."""
        if self._ask is not None:
            self._look()
            self._loop.start()

    def _look(self) -> None:
        assert self._ask is not None
        now = self._ask()
        if now is not self._last:
            self._last = now
            _log.info("availability", is_now=now.value)
            self._on_change(now)

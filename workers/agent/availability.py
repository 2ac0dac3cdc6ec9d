"""Follows whether the launcher's machines are there for attempts, how many, and for how long."""

import threading
from collections.abc import Callable

import structlog

from service.contract.loop import Loop
from workers.agent.control_plane_errors import ControlPlaneError
from workers.launcher.base import Availability, Launcher

_EVERY_SECONDS = 1.0
_log = structlog.get_logger()


class AvailabilityWatch:
    """Calls `on_change` with each change, and `on_hosts` with each other number of hosts.

    `on_hosts` is called from a thread of its own, `on_change` from that or from one that refreshes.
    A launcher that says nothing of it is there for as long as the worker.
    """

    def __init__(
        self,
        launcher: Launcher,
        on_change: Callable[[Availability], None],
        on_hosts: Callable[[int], None],
    ) -> None:
        self._launcher, self._on_change, self._on_hosts = launcher, on_change, on_hosts
        self._ask: Callable[[], Availability] | None = getattr(launcher, "availability", None)
        self._last, self._hosts = Availability.OPEN, launcher.hosts
        self._lock = threading.Lock()
        self._loop = Loop(
            "availability", _EVERY_SECONDS, self._look, log=_log, outages=(ControlPlaneError,)
        )

    def start(self) -> None:
        """Look now, before anything is claimed, and then again and again."""
        if self._ask is not None:
            self._look()
            self._loop.start()

    def refresh(self) -> None:
        """Ask the launcher now; what has changed is told before this returns."""
        if self._ask is None:
            return
        with self._lock:
            now = self._ask()
            if now is not self._last:
                self._last = now
                _log.info("availability", is_now=now.value)
                self._on_change(now)

    def _look(self) -> None:
        hosts = self._launcher.hosts
        if hosts != self._hosts:
            _log.info("hosts", are_now=hosts)
            self._on_hosts(hosts)
            self._hosts = hosts
        self.refresh()

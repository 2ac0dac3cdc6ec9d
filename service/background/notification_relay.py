"""Notifications between the servers over one PostgreSQL."""

from collections.abc import Generator

import structlog

from service.contract.loop import Loop
from service.notifier import Notifier
from service.store import notifications
from service.store.engine import Database
from service.store.outages import DATABASE_OUTAGES

_TIMEOUT_SECONDS = 1.0
_log = structlog.get_logger()


class NotificationRelay:
    """Carries the notifications of one server to the others; on SQLite there are no others.

    It only saves time: whoever misses a notification polls two seconds later.
    """

    def __init__(self, database: Database, notifier: Notifier, server_id: str) -> None:
        self._database, self._notifier, self._server_id = database, notifier, server_id
        self._received: Generator[str | None, None, None] | None = None
        self._listener = Loop(
            "notification-listener", 0.0, self._receive, log=_log, outages=DATABASE_OUTAGES
        )
        self._sender = Loop(
            "notification-sender", None, self._send, log=_log, outages=DATABASE_OUTAGES
        )

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The threads of the relay: none on SQLite."""
        return () if self._database.is_sqlite else (self._listener, self._sender)

    def start(self) -> None:
        """Begin to carry."""
        if self.loops:
            self._notifier.forward = self._sender.hasten
        for loop in self.loops:
            loop.start()

    def stop(self) -> None:
        """Take no more turns; returns at once."""
        for loop in self.loops:
            loop.stop()

    def join(self, timeout_seconds: float | None = None) -> None:
        """Wait for the turns under way, of a beat at most, and give the connection back."""
        ended = [loop.join(timeout_seconds) for loop in self.loops]
        if all(ended) and self._received is not None:
            self._received.close()

    def _receive(self) -> None:
        try:
            if self._received is None:
                self._received = notifications.receive(self._database, _TIMEOUT_SECONDS)
                next(self._received)
                # What was sent while nobody listened is to be looked for.
                self._notifier.notify_local()
            server_id = next(self._received)
        except BaseException:
            self._received = None
            raise
        if server_id is not None and server_id != self._server_id:
            self._notifier.notify_local()

    def _send(self) -> None:
        notifications.send(self._database, self._server_id)

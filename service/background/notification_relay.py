"""The bell that rings in every server over one PostgreSQL."""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from service.notifier import Notifier
from service.store import notifications
from service.store.engine import Database

_BEAT_SECONDS = 1.0
_log = structlog.get_logger()


class NotificationRelay:
    """Carries the rings of one server to the others; on SQLite there are no others.

    It only hastens: whoever misses a ring looks by itself two seconds later.
    """

    def __init__(self, database: Database, notifier: Notifier, name: str) -> None:
        self._database, self._wakeups, self._name = database, notifier, name
        self._stop, self._rung = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, name="bell-in", daemon=True),
            threading.Thread(target=self._tell, name="bell-out", daemon=True),
        ]

    def start(self) -> None:
        """Begin to carry."""
        if self._database.is_sqlite:
            return
        self._wakeups.tell = self._rung.set
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End within a beat."""
        self._stop.set()
        self._rung.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._hear()
            except SQLAlchemyError as error:
                _log.warning("bell_lost", error=str(error).split("\n")[0])
                self._stop.wait(_BEAT_SECONDS)

    def _hear(self) -> None:
        heard = notifications.receive(self._database, _BEAT_SECONDS)
        next(heard)
        self._wakeups.heard()
        for who in heard:
            if who is not None and who != self._name:
                self._wakeups.heard()
            if self._stop.is_set():
                heard.close()
                return

    def _tell(self) -> None:
        while True:
            self._rung.wait()
            if self._stop.is_set():
                return
            self._rung.clear()
            try:
                notifications.send(self._database, self._name)
            except SQLAlchemyError as error:
                _log.warning("bell_not_rung", error=str(error).split("\n")[0])

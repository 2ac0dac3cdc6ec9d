"""Whoever looks at what the ranks of an attempt write."""

import threading

import structlog

from workers.agent.spool import Spool
from workers.agent.watchdog import Watchdog

_LOOK_SECONDS = 0.25


class VolumeWatcher:
    """Reads the spool and the signs of progress in a thread of its own, until it is closed.

    A volume may hang: then nothing is seen, and the heartbeats go on.
    """

    def __init__(self, spool: Spool, watchdog: Watchdog, job_id: str) -> None:
        self._spool, self._watchdog = spool, watchdog
        self._log = structlog.get_logger().bind(job_id=job_id)
        self._closed = threading.Event()

    def begin(self) -> None:
        """The ranks are started."""
        self._watchdog.begin()
        threading.Thread(target=self._run, name="lookout", daemon=True).start()

    def close(self) -> None:
        """Look no more; waits for nothing, since a look may hang."""
        self._closed.set()

    def _run(self) -> None:
        failures = 0
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                self._spool.read()
                self._watchdog.look()
                failures = 0
            except OSError as error:
                failures += 1
                # The first, and then ever fewer: a volume may be away for a night.
                if failures.bit_count() == 1:
                    self._log.error("events_unreadable", failures=failures, error=str(error))

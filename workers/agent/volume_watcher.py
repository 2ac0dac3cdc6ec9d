"""The loop that reads what the ranks of an attempt write on the volume."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from service.contract.log_limit import limit_log
from service.contract.loop import Loop
from service.volume.log_times import LogTimes
from workers.agent.spool import Spool
from workers.agent.watchdog import Watchdog

_EVERY_SECONDS = 0.25


class VolumeWatcher:
    """Reads the spool and the signs of progress in a thread of its own, until it is closed.

    It keeps the attempt's log within its limit, and notes when its lines were written.

    A volume may hang: then nothing is seen, and the heartbeats go on.
    """

    def __init__(
        self,
        spool: Spool,
        watchdog: Watchdog,
        log_path: Path,
        job_id: str,
        now: Callable[[], datetime],
    ) -> None:
        self._spool, self._watchdog, self._log_path = spool, watchdog, log_path
        self._log_times = LogTimes(log_path, now)
        log = structlog.get_logger().bind(job_id=job_id)
        outages = (OSError,)
        self._loop = Loop("volume-watcher", _EVERY_SECONDS, self._look, log=log, outages=outages)

    def start(self) -> None:
        """Begin to look: the ranks are started."""
        self._watchdog.begin()
        self._loop.start()

    def close(self) -> None:
        """Look no more; waits for nothing, since a look may hang."""
        self._loop.stop()

    def _look(self) -> None:
        self._spool.read()
        self._watchdog.look()
        self._log_times.look()
        limit_log(self._log_path)

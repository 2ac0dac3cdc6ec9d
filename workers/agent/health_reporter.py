"""The file by which others see that an agent lives, see `workers/health.py`."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from service.contract.loop import Loop
from workers.health import renew

_EVERY_SECONDS = 5.0
_log = structlog.get_logger()


class CannotWriteHealth(Exception):
    """The health file that the settings name cannot be written; the message says what to change."""


class HealthReporter:
    """Renews the file at `path` as long as the heartbeats turn, whether or not they are answered.

    `turns` gives their count, or None while they wait for the server: a new start would not bring
    the server back, and would end the trainings. `clock` is the machine's boot clock.
    """

    def __init__(
        self, path: Path, turns: Callable[[], int | None], clock: Callable[[], float]
    ) -> None:
        self._path, self._turns, self._clock = path, turns, clock
        self._last_turns: int | None = None
        self._loop = Loop("health", _EVERY_SECONDS, self.report, log=_log, outages=(OSError,))

    def start(self) -> None:
        """Renew the file now and from now on; raises CannotWriteHealth."""
        try:
            self.report()
        except OSError as error:
            raise CannotWriteHealth(
                f"health_file: cannot write {self._path} ({error.strerror}): name a file in a "
                "folder that the worker may write to"
            ) from error
        self._loop.start()

    def close(self) -> None:
        """The worker ends: there is no file."""
        self._loop.stop()
        self._loop.join(_EVERY_SECONDS)
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def report(self) -> None:
        """Renew the file unless the heartbeats stand still since the last call; raises OSError."""
        turns = self._turns()
        if turns is None or turns != self._last_turns:
            renew(self._path, self._clock())
        self._last_turns = turns

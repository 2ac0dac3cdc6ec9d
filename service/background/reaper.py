"""The thread that looks for leases that ran out."""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from service.context import AppContext
from service.control.leases import reaper

_log = structlog.get_logger()


class ReaperLoop:
    """Sweeps at a beat until it is stopped; a database that is away is asked again."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reaper", daemon=True)
        lease_timeouts = context.lease_timeouts
        shortest = min(lease_timeouts.start_seconds, lease_timeouts.unreachable_seconds)
        self._beat_seconds = min(max(shortest / 10, 0.1), 2.0)

    def start(self) -> None:
        """Begin to sweep."""
        self._thread.start()

    def stop(self) -> None:
        """End after the sweep under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._beat_seconds):
            try:
                self._sweep()
            except SQLAlchemyError as error:
                _log.warning("sweep_failed", error=str(error).split("\n")[0])
            except Exception:
                # A bug of ours: without a reaper no lease would ever run out.
                _log.exception("sweep_broken")

    def _sweep(self) -> None:
        context = self._context
        with context.database.read() as tx:
            if not reaper.is_due(tx, context.lease_timeouts, context.now()):
                return
        with context.database.write() as tx:
            swept = reaper.sweep(
                tx, context.lease_timeouts, backoff_policy=context.backoff_policy, now=context.now()
            )
        if swept.spared:
            _log.warning("mass_expiry", spared=swept.spared)
        if swept.changed:
            _log.info("leases_ran_out", attempts=swept.changed)
        if swept.changed or swept.ended_backoffs:
            context.notifier.ring()

"""The thread that finishes removals which were let go and not done."""

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from service.context import AppContext
from service.control.checkpoints.gc import Collector

_log = structlog.get_logger()


class GcLoop:
    """Sweeps at a beat until it is stopped; beside the reaper, whose leases wait for no disk."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tidying", daemon=True)

    def start(self) -> None:
        """Begin to sweep."""
        self._thread.start()

    def stop(self) -> None:
        """End; a removal under way goes on until the process ends, and is mended if it is cut."""
        self._stop.set()

    def _run(self) -> None:
        # At once too: a server that is started again and again must not let the volume fill up.
        while True:
            self._sweep()
            if self._stop.wait(self._context.settings.tidy_seconds):
                return

    def _sweep(self) -> None:
        context = self._context
        try:
            removed = Collector(context.database, context.settings.volume, context.now()).finish()
        except (SQLAlchemyError, OSError) as error:
            _log.warning("tidying_failed", error=str(error).split("\n")[0])
        except Exception:
            # A bug of ours: without this thread surplus folders would fill the volume.
            _log.exception("tidying_broken")
        else:
            if removed:
                _log.info("folders_removed", paths=[garbage.path for garbage in removed])

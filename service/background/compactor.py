"""The loop that moves points into arrays which no heartbeat will move: those of older versions."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.store import jobs, series
from service.store.outages import DATABASE_OUTAGES

_PAUSE_SECONDS = 24 * 3600.0
"""A look reads some of each job's points, and mostly finds nothing."""
_NEXT_JOB_SECONDS = 0.5
_AFTER_ERROR_SECONDS = 60.0
_log = structlog.get_logger()


def compactor_loop(context: AppContext) -> Loop:
    """Moves the points of one job in a turn, and comes back soon if there may be another one.

    A turn is a short transaction of its own: no claim and no heartbeat waits for long. A job whose
    points cannot be moved is passed over until the next day, and keeps no other from its turn.
    """
    after = ""

    def compact() -> float:
        nonlocal after
        with context.database.read() as tx:
            job_id = series.job_with_many_rows(tx, after)
        after = job_id or ""
        if job_id is None:
            return _PAUSE_SECONDS
        with context.database.write() as tx:
            # As a heartbeat does, which may come from its worker at the same time.
            jobs.lock(tx, [job_id])
            series.compact(tx, job_id)
        _log.info("series_compacted", job_id=job_id)
        return _NEXT_JOB_SECONDS

    return Loop("compactor", _AFTER_ERROR_SECONDS, compact, log=_log, outages=DATABASE_OUTAGES)

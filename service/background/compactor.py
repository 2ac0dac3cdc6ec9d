"""The loop that moves points into arrays which no heartbeat will move: those of older versions."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.store import jobs, series
from service.store.outages import DATABASE_OUTAGES

_EVERY_SECONDS = 24 * 3600.0
"""A look reads some of each job's points, and mostly finds nothing."""
_NEXT_JOB_SECONDS = 0.5
_log = structlog.get_logger()


def compactor_loop(context: AppContext) -> Loop:
    """Moves the points of one job in a turn, and comes back soon if there may be another one.

    A turn is a short transaction of its own: no claim and no heartbeat waits for long.
    """

    def compact() -> float | None:
        with context.database.read() as tx:
            job_id = series.job_with_many_rows(tx)
        if job_id is None:
            return None
        with context.database.write() as tx:
            # As a heartbeat does, which may come from its worker at the same time.
            jobs.lock(tx, [job_id])
            series.compact(tx, job_id)
        _log.info("series_compacted", job_id=job_id)
        return _NEXT_JOB_SECONDS

    return Loop("compactor", _EVERY_SECONDS, compact, log=_log, outages=DATABASE_OUTAGES)

"""The loop that moves points into arrays which no heartbeat will move, as those of ended jobs."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.store import jobs, series
from service.store.outages import DATABASE_OUTAGES

_PAUSE_SECONDS = 600.0
"""A look reads some points of each job that has any in rows: of those that run."""
_NEXT_JOB_SECONDS = 0.1
_AFTER_ERROR_SECONDS = 60.0
_log = structlog.get_logger()


def compactor_loop(context: AppContext) -> Loop:
    """Moves the points of one job in a turn, and comes back soon if there may be another one.

    A turn is a short transaction of its own: no claim and no heartbeat waits for long. A job whose
    points cannot be moved is passed over until the next look, and keeps no other from its turn.
    """
    after = ""

    def compact() -> float:
        nonlocal after
        with context.database.read() as tx:
            job_id = series.job_to_compact(tx, after)
        after = job_id or ""
        if job_id is None:
            return _PAUSE_SECONDS
        with context.database.write() as tx:
            # As a heartbeat does, which may come from its worker at the same time.
            jobs.lock(tx, [job_id])
            series.compact(tx, job_id)
        _log.debug("series_compacted", job_id=job_id)
        return _NEXT_JOB_SECONDS

    return Loop("compactor", _AFTER_ERROR_SECONDS, compact, log=_log, outages=DATABASE_OUTAGES)

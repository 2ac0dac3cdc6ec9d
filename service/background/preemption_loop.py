"""The loop that has running jobs give their places to queued ones of higher priority."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.control.scheduling import preemption
from service.store.outages import DATABASE_OUTAGES

_EVERY_SECONDS = 1.0
_log = structlog.get_logger()


def preemption_loop(context: AppContext) -> Loop:
    """Asks each second; it writes only where a job is to be preempted."""
    return Loop(
        "preemption",
        _EVERY_SECONDS,
        lambda: _take_turn(context),
        log=_log,
        outages=DATABASE_OUTAGES,
    )


def _take_turn(context: AppContext) -> None:
    least_seconds = context.settings.preempt_after_seconds
    with context.database.read() as tx:
        if not preemption.decide(tx, least_seconds, context.now()):
            return
    # Decided again: what was read has been open to changes since.
    with context.database.write() as tx:
        asked = preemption.take_turn(tx, least_seconds, context.now())
    if asked:
        _log.info("jobs_preempted", attempts=asked)

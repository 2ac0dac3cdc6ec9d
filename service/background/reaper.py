"""The loop that ends leases which ran out."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.control.leases import reaper
from service.store.outages import DATABASE_OUTAGES

_FATAL_ERRORS = 10
_log = structlog.get_logger()


def reaper_loop(context: AppContext) -> Loop:
    """Sweeps ten times in the shortest lease timeout; a database that is away is asked again.

    Without a reaper no lease ever runs out: a server whose reaper fails again and again ends.
    """
    timeouts = context.lease_timeouts
    shortest_seconds = min(timeouts.start_seconds, timeouts.unreachable_seconds)
    return Loop(
        "reaper",
        min(max(shortest_seconds / 10, 0.1), 2.0),
        lambda: _sweep(context),
        log=_log,
        outages=DATABASE_OUTAGES,
        fatal_errors=_FATAL_ERRORS,
    )


def _sweep(context: AppContext) -> None:
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
        context.notifier.notify()

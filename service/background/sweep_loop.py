"""The loop that begins, judges and ends the trials of sweeps."""

import structlog

from service.context import SWEEPS, AppContext
from service.contract.loop import Loop
from service.control.sweeps import turn
from service.store import sweeps
from service.store.outages import DATABASE_OUTAGES

_EVERY_SECONDS = 1.0
_log = structlog.get_logger()


def sweep_loop(context: AppContext) -> Loop:
    """Takes a turn of each live sweep in a transaction of its own, if it would change anything.

    One that raises is logged, and holds up none of the others.
    """

    def take_turns() -> None:
        with context.database.read() as tx:
            live = sweeps.live_ids(tx)
        for sweep_id in live:
            try:
                _take_turn(context, sweep_id)
            except DATABASE_OUTAGES:
                raise
            except Exception:
                _log.exception("sweep_turn_failed", sweep_id=sweep_id)

    return Loop(SWEEPS, _EVERY_SECONDS, take_turns, log=_log, outages=DATABASE_OUTAGES)


def _take_turn(context: AppContext, sweep_id: str) -> None:
    with context.database.read() as tx:
        if not turn.is_due(tx, sweep_id):
            return
    with context.database.write() as tx:
        turn.take(tx, sweep_id, new_id=context.new_id, now=context.now())
    context.notifier.notify()

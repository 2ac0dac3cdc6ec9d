"""The loop that makes the jobs that measure for searches, and ends them with their searches."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.control.jobs import search_turn
from service.store import search_parts
from service.store.outages import DATABASE_OUTAGES

_EVERY_SECONDS = 1.0
_log = structlog.get_logger()


def search_loop(context: AppContext) -> Loop:
    """Takes a turn of each search with parts in a transaction of its own, if it changes anything.

    One that raises is logged, and holds up none of the others.
    """

    def take_turns() -> None:
        with context.database.read() as tx:
            searches = search_parts.searches(tx)
        for search_id in searches:
            try:
                _take_turn(context, search_id)
            except DATABASE_OUTAGES:
                raise
            except Exception:
                _log.exception("search_turn_failed", job_id=search_id)

    return Loop("searches", _EVERY_SECONDS, take_turns, log=_log, outages=DATABASE_OUTAGES)


def _take_turn(context: AppContext, search_id: str) -> None:
    with context.database.read() as tx:
        if not search_turn.is_due(tx, search_id):
            return
    with context.database.write() as tx:
        search_turn.take(tx, search_id, new_id=context.new_id, now=context.now())
    context.notifier.notify()

"""The loop that finishes removals of checkpoint folders which were marked and not done."""

import structlog

from service.context import GC, AppContext
from service.contract.loop import Loop
from service.control.checkpoints.gc import Collector
from service.store.outages import DATABASE_OUTAGES

_log = structlog.get_logger()


def gc_loop(context: AppContext) -> Loop:
    """Collects every `tidy_seconds`; beside the reaper, whose leases wait for no disk.

    It begins with a turn: a server that is started again and again must not let the volume fill up.
    A removal that the end of the process cuts off is finished after the next start.
    """

    def collect() -> None:
        collector = Collector(context.database, context.volume, context.now())
        removed = collector.finish()
        if removed:
            _log.info("folders_removed", paths=[garbage.path for garbage in removed])

    outages = (*DATABASE_OUTAGES, OSError)
    return Loop(GC, context.settings.tidy_seconds, collect, log=_log, outages=outages)

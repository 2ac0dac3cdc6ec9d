"""The loop that has running jobs give their places to queued ones of higher priority."""

import time
from collections.abc import Callable

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.control.scheduling import preemption
from service.store.outages import DATABASE_OUTAGES

_EVERY_SECONDS = 1.0
_PAUSES_FOR_EACH_SECOND = 9.0
"""Of ten seconds it decides in at most one, however many workers and urgent jobs there are."""
_log = structlog.get_logger()


def preemption_loop(context: AppContext, clock: Callable[[], float] = time.monotonic) -> Loop:
    """Asks each second; it writes only where a job is to be preempted. `clock` gives seconds."""

    def take_turn() -> float:
        began = clock()
        _take_turn(context)
        return max(_EVERY_SECONDS, _PAUSES_FOR_EACH_SECOND * (clock() - began))

    return Loop("preemption", _EVERY_SECONDS, take_turn, log=_log, outages=DATABASE_OUTAGES)


def _take_turn(context: AppContext) -> None:
    with context.database.read() as tx:
        decided = preemption.decide(tx, context.settings.preempt_after_seconds, context.now())
    if not decided:
        return
    with context.database.write() as tx:
        asked = preemption.carry_out(tx, decided, context.now())
    if asked:
        _log.info("jobs_preempted", attempts=asked)

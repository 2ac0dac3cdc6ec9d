"""A loop that takes a turn of each of some things, each in a transaction of its own."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

import structlog
from sqlalchemy import Connection

from service.context import AppContext
from service.contract.loop import Loop
from service.store.outages import DATABASE_OUTAGES

_EVERY_SECONDS = 1.0
_log = structlog.get_logger()


class Turns(Protocol):
    """What a turn does; a module has both as functions."""

    def is_due(self, tx: Connection, id_: str, /) -> bool:
        """Whether a turn would change anything; it only reads."""

    def take(
        self, tx: Connection, id_: str, /, *, new_id: Callable[[str], str], now: datetime
    ) -> None:
        """Take the turn."""


def turn_loop(
    name: str, context: AppContext, ids: Callable[[Connection], Iterable[str]], turns: Turns
) -> Loop:
    """Takes a turn of each of the `ids`, if it would change anything.

    One that raises is logged, and holds up none of the others.
    """

    def take_turns() -> None:
        with context.database.read() as tx:
            waiting = list(ids(tx))
        for id_ in waiting:
            try:
                _take_turn(context, id_, turns)
            except DATABASE_OUTAGES:
                raise
            except Exception:
                _log.exception("turn_failed", loop=name, id=id_)

    return Loop(name, _EVERY_SECONDS, take_turns, log=_log, outages=DATABASE_OUTAGES)


def _take_turn(context: AppContext, id_: str, turns: Turns) -> None:
    with context.database.read() as tx:
        if not turns.is_due(tx, id_):
            return
    with context.database.write() as tx:
        turns.take(tx, id_, new_id=context.new_id, now=context.now())
    context.notifier.notify()

"""The loops that store the samples of workers, and move those of each hour into one row."""

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.control.leases import samples
from service.control.leases.samples import seconds_of
from service.store import samples as store
from service.store.outages import DATABASE_OUTAGES

_WRITE_SECONDS = 5.0
_LOOK_SECONDS = 60.0
_NEXT_HOUR_SECONDS = 0.1
_log = structlog.get_logger()


def sample_writer_loop(context: AppContext) -> Loop:
    """Stores what came with the heartbeats since the last turn, in one transaction."""

    def write() -> None:
        buffer = context.samples
        taken = buffer.take()
        if not taken:
            return
        gpus = buffer.changed_gpus(taken)
        try:
            with context.database.write() as tx:
                samples.put(tx, taken, gpus)
        except DATABASE_OUTAGES:
            buffer.put_back(taken)
            raise
        buffer.note_gpus(gpus)

    return Loop("sample-writer", _WRITE_SECONDS, write, log=_log, outages=DATABASE_OUTAGES)


def sample_mover_loop(context: AppContext) -> Loop:
    """Moves the samples of one worker in one hour in a turn, and comes back soon if there are more.

    A turn is a short transaction of its own: no claim and no heartbeat waits for long.
    """

    def move() -> float | None:
        with context.database.read() as tx:
            unmoved = store.unmoved(tx, seconds_of(context.now()))
        if unmoved is None:
            return None
        with context.database.write() as tx:
            store.move_hour(tx, *unmoved)
        return _NEXT_HOUR_SECONDS

    return Loop("sample-mover", _LOOK_SECONDS, move, log=_log, outages=DATABASE_OUTAGES)

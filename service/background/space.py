"""The loop that measures the space of the volume and of the database."""

import shutil
from pathlib import Path

import structlog

from service.context import AppContext
from service.contract.loop import Loop
from service.store.outages import DATABASE_OUTAGES
from service.store.space import database_bytes

_EVERY_SECONDS = 30.0
_log = structlog.get_logger()


def space_loop(context: AppContext) -> Loop:
    """Measures every 30 seconds, so that no scrape waits for a volume that hangs."""

    def measure() -> None:
        with context.database.read() as tx:
            context.metrics.database_bytes.set(database_bytes(tx))
        file = context.database.url.database
        if context.database.is_sqlite and file is not None:
            _measure_disk(context, "database", Path(file).parent)
        _measure_disk(context, "volume", context.settings.volume)

    outages = (*DATABASE_OUTAGES, OSError)
    return Loop("space", _EVERY_SECONDS, measure, log=_log, outages=outages)


def _measure_disk(context: AppContext, place: str, folder: Path) -> None:
    usage = shutil.disk_usage(folder)
    context.metrics.space_free.labels(place).set(usage.free)
    context.metrics.space_total.labels(place).set(usage.total)

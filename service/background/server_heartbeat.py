"""The loop that notes that this server is alive, for whichever server starts next."""

import structlog

from service.context import SERVER_HEARTBEAT, AppContext
from service.contract.loop import Loop
from service.store import server_heartbeats
from service.store.outages import DATABASE_OUTAGES

_MOST_SECONDS = 5.0
_log = structlog.get_logger()


def server_heartbeat_loop(context: AppContext, server_id: str) -> Loop:
    """Writes a row at least twice in the time after which a server counts as dead."""

    def beat() -> None:
        with context.database.write() as tx:
            server_heartbeats.put(tx, server_id, context.now())

    every_seconds = min(context.settings.heartbeat_seconds / 2, _MOST_SECONDS)
    return Loop(SERVER_HEARTBEAT, every_seconds, beat, log=_log, outages=DATABASE_OUTAGES)

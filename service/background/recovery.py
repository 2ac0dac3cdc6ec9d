"""What a server does to the database before it serves."""

import structlog

from service.context import AppContext
from service.control.leases.renewals import renew_after_outage
from service.domain.limits import parse_limits
from service.store import limits, server_heartbeats

_log = structlog.get_logger()


def recover(context: AppContext, server_id: str) -> None:
    """Renew the leases that an outage of all servers cut off, set the limits, and be alive."""
    now = context.now()
    with context.database.write() as tx:
        renewals = renew_after_outage(
            tx,
            shared=not context.database.is_sqlite,
            heartbeat_seconds=context.settings.heartbeat_seconds,
            now=now,
        )
        server_heartbeats.put(tx, server_id, now)
        limits.put(tx, parse_limits(context.settings.limits))
    _log.info("recovered", leases_renewed=renewals.leases, workers_renewed=renewals.workers)

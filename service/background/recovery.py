"""What a server does to the database before it serves."""

import structlog

from service.context import AppContext
from service.control.leases.renewals import renew_after_outage
from service.domain.limits import parse_limits
from service.store import history, limits, server_heartbeats

_log = structlog.get_logger()


def recover(context: AppContext, server_id: str) -> None:
    """Renew the leases that an outage of all servers cut off, set the limits, and be alive.

    The events to come are numbered above the milliseconds since 1970: those that a database gave
    after the copy was made that it is restored from do not come twice, since listeners ask for
    what came after the last number they have seen.
    """
    now = context.now()
    with context.database.write() as tx:
        history.raise_numbers(tx, int(now.timestamp() * 1000))
    with context.database.write() as tx:
        renewals = renew_after_outage(
            tx,
            shared=not context.database.is_sqlite,
            heartbeat_seconds=context.settings.heartbeat_seconds,
            unreachable_seconds=context.settings.unreachable_seconds,
            now=now,
        )
        server_heartbeats.put(tx, server_id, now)
        limits.put(tx, parse_limits(context.settings.limits))
    _log.info("recovered", leases_renewed=renewals.leases, workers_renewed=renewals.workers)

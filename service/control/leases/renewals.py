"""Leases that could not be renewed because no server was there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from service.store import leases, server_heartbeats, workers


@dataclass(frozen=True)
class Renewals:
    """How many leases and workers were given a fresh timeout."""

    leases: int
    workers: int


def renew_after_outage(
    tx: Connection,
    *,
    shared: bool,
    heartbeat_seconds: float,
    unreachable_seconds: float,
    now: datetime,
) -> Renewals:
    """Renew what was in contact until the last server ended: its silence is nobody's fault.

    Whoever had been silent for longer than `unreachable_seconds` before that stays as it is: a
    server that ends answers nobody for a while before it notes its end. While another server over
    this database (`shared`: there may be one) was alive within `heartbeat_seconds`, workers could
    reach it, and nothing is renewed. Where no server has ever noted that it is alive, all is.
    """
    heartbeat = timedelta(seconds=heartbeat_seconds)
    # A row ahead of this clock is one of a server whose clock differs, or that was set back.
    if shared and server_heartbeats.is_any_alive(tx, now - heartbeat, now + heartbeat):
        return Renewals(0, 0)
    last_alive = server_heartbeats.last_alive(tx)
    silence = timedelta(seconds=unreachable_seconds)
    since = last_alive - silence if last_alive is not None else None
    renewed_workers = workers.renew_since(tx, since, now)
    return Renewals(leases.renew_since(tx, since, now), renewed_workers)

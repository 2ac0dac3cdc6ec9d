"""When each server over this database was last alive."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from service.store.tables import server_heartbeats as heartbeats


def put(tx: Connection, server_id: str, now: datetime, *, stopped: bool = False) -> None:
    """Note that a server is alive at `now`, or that it ends then."""
    values = {"alive_at": now, "stopped_at": now if stopped else None}
    known = update(heartbeats).where(heartbeats.c.server_id == server_id)
    if not tx.execute(known.values(**values)).rowcount:
        tx.execute(insert(heartbeats).values(server_id=server_id, **values))


def last_alive(tx: Connection) -> datetime | None:
    """When the last server was alive; None if none has ever been noted."""
    moment: datetime | None = tx.execute(select(func.max(heartbeats.c.alive_at))).scalar_one()
    return moment


def is_any_alive(tx: Connection, since: datetime, until: datetime) -> bool:
    """Whether a server that has not stopped was alive between two moments."""
    query = select(heartbeats.c.server_id).where(
        heartbeats.c.stopped_at.is_(None), heartbeats.c.alive_at.between(since, until)
    )
    return tx.execute(query.limit(1)).first() is not None


def delete_before(tx: Connection, moment: datetime, limit: int) -> int:
    """Delete at most `limit` servers that were last alive before `moment`; gives how many."""
    ended = select(heartbeats.c.server_id).where(heartbeats.c.alive_at < moment).limit(limit)
    return tx.execute(delete(heartbeats).where(heartbeats.c.server_id.in_(ended))).rowcount

"""The volume that belongs to this database: its checkpoints are in the index."""

from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from service.store.tables import volumes

_ONLY = 1


def identity(tx: Connection) -> str | None:
    """The identity of the volume; None before the first server has started."""
    query = select(volumes.c.volume_id).where(volumes.c.number == _ONLY)
    return tx.execute(query).scalar_one_or_none()


def set_identity(tx: Connection, volume_id: str, now: datetime) -> str:
    """Note the identity of the volume unless one is noted; gives the one that is."""
    values = {"number": _ONLY, "volume_id": volume_id, "created_at": now}
    with tx.begin_nested() as savepoint:
        try:
            tx.execute(insert(volumes).values(**values))
        except IntegrityError:
            savepoint.rollback()
    return identity(tx) or volume_id

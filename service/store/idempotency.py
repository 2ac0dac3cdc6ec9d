"""Idempotency keys: which job a submission made when it came the first time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from service.store.tables import idempotency_keys as keys


@dataclass(frozen=True)
class StoredKey:
    """What came with a key before."""

    body_sha256: str
    job_id: str


def remembered(tx: Connection, key: str) -> StoredKey | None:
    """What came with this key before, if anything."""
    row = tx.execute(select(keys).where(keys.c.key == key)).first()
    return StoredKey(row.body_sha256, row.job_id) if row is not None else None


def remember(tx: Connection, key: str, body_sha256: str, job_id: str, now: datetime) -> None:
    """Store it; a concurrent twin fails here with an IntegrityError."""
    row = {"key": key, "body_sha256": body_sha256, "job_id": job_id, "created_at": now}
    tx.execute(insert(keys).values(**row))


def forget_before(tx: Connection, moment: datetime) -> int:
    """Drop the keys that came before `moment`."""
    return tx.execute(delete(keys).where(keys.c.created_at < moment)).rowcount
